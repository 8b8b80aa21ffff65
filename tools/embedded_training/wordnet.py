"""Pairs of definitions of WordNet nouns, with the similarity of the two in its tree."""

from __future__ import annotations

import random
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.embedded_training import common, sources

WORDNET = (
    ["apt-get", "download", "wordnet-base"],
    "wordnet-base_1%3a3.0-37_all.deb",
    "61060d960f9ada8fa120872312eccd3ecebfbab8c4579e4f5a74e1cf67620752",
)

# Distances of two nouns in the tree, in edges, and the number of pairs of each.
DISTANCES = (1, 2, 3, 4, 6, 8, 10, 12, 14, 16)
PAIRS = 100
WORDS = (6, 25)  # of a definition
LONGEST_CLIMB = 8  # steps from a noun to a hypernym below which its relatives are looked for
ABOVE = re.compile(r" @i? (\d{8}) n ")


@dataclass(frozen=True)
class Noun:
    """One sense: its definition and its hypernyms."""

    definition: str
    above: tuple[str, ...]


def nouns(raw: Path) -> dict[str, Noun]:
    """Every noun sense of WordNet 3.0 by its number; downloaded if missing."""
    file = raw / "wn" / "usr" / "share" / "wordnet" / "data.noun"
    if not file.is_file():
        raw.mkdir(parents=True, exist_ok=True)
        archive = sources.download(raw, WORDNET)
        subprocess.run(["dpkg", "-x", str(archive), str(raw / "wn")], check=True)
    found = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        head, bar, gloss = line.partition(" | ")
        if bar and not line.startswith(" "):
            definition = gloss.partition('; "')[0].strip()
            found[head[:8]] = Noun(definition, tuple(ABOVE.findall(head)))
    return found


def climbed(number: str, known: dict[str, Noun]) -> dict[str, int]:
    """All hypernyms of a sense, with the shortest distance to each."""
    steps, front, at = {number: 0}, [number], 0
    while front:
        at += 1
        front = [up for one in front for up in known[one].above if up not in steps]
        steps.update(dict.fromkeys(front, at))
    return steps


def distance(one: dict[str, int], two: dict[str, int]) -> int:
    """The length of the shortest path between two senses through a common hypernym."""
    return min(steps + two[up] for up, steps in one.items() if up in two)


def make_rows(raw: Path) -> list[dict[str, str | float]]:
    """Equally many pairs at every distance, each definition in one pair only.

    The score is WordNet's path similarity, 1 / (1 + steps): 0.5 for a thing and its kind.
    """
    known = nouns(raw)
    rng = random.Random(common.SEED)
    fit = [n for n, noun in known.items() if noun.above and _fits(noun.definition)]
    rng.shuffle(fit)
    ways = {number: climbed(number, known) for number in fit}
    below: dict[str, list[str]] = {}
    for number in fit:
        for up, steps in ways[number].items():
            if steps <= LONGEST_CLIMB:
                below.setdefault(up, []).append(number)
    used: set[str] = set()
    rows: list[dict[str, str | float]] = []
    for wanted in DISTANCES:
        made = 0
        for number in fit:
            if made == PAIRS:
                break
            if known[number].definition in used:
                continue
            ups = [up for up in ways[number] if up in below]
            others = below[rng.choice(ups)] if ups else []
            other = rng.choice(others) if others else number
            two = known[other].definition
            if two in used or distance(ways[number], ways[other]) != wanted:
                continue
            used |= {known[number].definition, two}
            score = round(1 / (1 + wanted), 4)
            rows.append({"sentence1": known[number].definition, "sentence2": two, "score": score})
            made += 1
    rng.shuffle(rows)
    return rows


def _fits(definition: str) -> bool:
    words = len(definition.split())
    return WORDS[0] <= words <= WORDS[1] and definition.isascii() and "(" not in definition

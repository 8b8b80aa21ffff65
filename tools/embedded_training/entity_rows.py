"""Synthetic sentences with tagged names of people, places, organizations and dates.

Almost every name is used for all of the first three (Marlow: a person, a town or a company), and
many are common nouns in other sentences, so that the context decides the tag. Held-out sentences
are made of clauses that training does not have, and half of their names are not in training.
A third of the names in training are invented from syllables, so that a model meets new words.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tools.embedded_training import common, near_duplicates

ROWS = 1000
TRAINING_ROWS = 20_000
INVENTED = 1 / 3  # share of training names that are invented
OUTSIDE = "O"
KINDS = ("PER", "LOC", "ORG", "DATE")
TAGS = (OUTSIDE, *(f"{prefix}-{kind}" for kind in KINDS for prefix in ("B", "I")))
Row = dict[str, list[str]]

TEMPLATES: dict[str, Any] = json.loads(
    Path(__file__).with_name("entity_templates.json").read_text(encoding="utf-8")
)


def make_sentence(rng: random.Random, held_out: bool) -> Row:
    """One or two clauses as `tokens` with their `tags`."""
    clauses = rng.sample(TEMPLATES["held_out" if held_out else "train"], rng.choice((1, 2, 2)))
    parts = clauses[0].split()
    for clause in clauses[1:]:
        parts += [*rng.choice(TEMPLATES["connectors"]).split(), *clause.split()]
    tokens: list[str] = []
    tags: list[str] = []
    for part in parts:
        slot = part.strip("{}")
        words = _words(slot, rng, held_out) if part.startswith("{") else [part]
        tokens += words
        if slot in KINDS:
            tags += [f"B-{slot}"] + [f"I-{slot}"] * (len(words) - 1)
        else:
            tags += [OUTSIDE] * len(words)
    tokens[0] = tokens[0][0].upper() + tokens[0][1:]
    return {"tokens": [*tokens, "."], "tags": [*tags, OUTSIDE]}


def _words(slot: str, rng: random.Random, held_out: bool) -> list[str]:
    """The words of one slot; a name is more often one word than two."""
    if slot in ("PER", "LOC", "ORG"):
        name = _name(rng, held_out)
        if rng.random() < 0.75:
            return [name]
        if slot == "PER":
            return [rng.choice(TEMPLATES["first"]), name]
        if slot == "LOC":
            return [rng.choice(("Lake", "Mount", "Port", "New")), name]
        return [name, rng.choice(("Bank", "Brothers", "Group", "Stores"))]
    if slot == "DATE":
        return [rng.choice(TEMPLATES[rng.choice(("month", "day"))])]
    return str(rng.choice(TEMPLATES[slot])).split()


def _name(rng: random.Random, held_out: bool) -> str:
    """A name of the list, or one that is not in it: a held-out name, or an invented one."""
    if held_out:
        unseen = rng.random() < 0.5
        return str(rng.choice(TEMPLATES["held_out_names" if unseen else "names"]))
    if rng.random() < INVENTED:
        name = "".join(rng.choices(TEMPLATES["syllables"], k=rng.choice((1, 2, 2)))).capitalize()
        return rng.choice(TEMPLATES["names"]) if name in TEMPLATES["held_out_names"] else name
    return str(rng.choice(TEMPLATES["names"]))


def training_rows(count: int = TRAINING_ROWS, seed: int = common.SEED) -> list[Row]:
    """`count` different training sentences."""
    return _rows(count, random.Random(seed), held_out=False)


def held_out_rows() -> list[Row]:
    """The rows that ship; none is a near-duplicate of one of `training_rows()`."""
    rows = _rows(ROWS + 200, random.Random(common.SEED + 1), held_out=True)
    return near_duplicates.without_near_duplicates(rows, training_rows(), text_of)[:ROWS]


def text_of(row: Row) -> str:
    return " ".join(row["tokens"])


def _rows(count: int, rng: random.Random, held_out: bool) -> list[Row]:
    found: dict[str, Row] = {}
    while len(found) < count:
        row = make_sentence(rng, held_out)
        found[text_of(row)] = row
    return list(found.values())


def commonest_tags(learned: Sequence[Row], rows: Sequence[Row]) -> list[list[str]]:
    """Baseline: for every word its commonest tag in training, whatever the context.

    A word that training does not have gets the commonest tag of words with its first letter in
    upper or lower case.
    """
    by_word: dict[str, Counter[str]] = {}
    by_case: dict[bool, Counter[str]] = {True: Counter(), False: Counter()}
    for row in learned:
        for word, tag in zip(row["tokens"], row["tags"], strict=True):
            by_word.setdefault(word, Counter())[tag] += 1
            by_case[word[0].isupper()][tag] += 1

    def tag_of(word: str) -> str:
        return by_word.get(word, by_case[word[0].isupper()]).most_common(1)[0][0]

    return [[tag_of(word) for word in row["tokens"]] for row in rows]

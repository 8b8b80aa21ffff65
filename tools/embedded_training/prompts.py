"""Prompts for images of clothes, from one grammar for training and for shipped requests."""

from __future__ import annotations

import random

import numpy as np

from tools.embedded_training import common
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
PER_CLASS = 100

# Terciles of the mean grey value of the foreground.
DARK, LIGHT = 138.0, 182.0


def tone_of(pictures: np.ndarray) -> list[str]:
    """The tone of each image, dark, light or neither, by the grey value of its foreground."""
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    inside = flat > 12
    mean = (flat * inside).sum(1) / np.maximum(1, inside.sum(1))
    return ["dark" if grey < DARK else "light" if grey > LIGHT else "" for grey in mean]


def make(label: str, tone: str, rng: random.Random) -> str:
    """One prompt; it mentions the tone, if there is one, in most cases."""
    word = rng.choice(TONES[tone] if rng.random() < 0.8 else TONES[""])
    thing = f"{word} {rng.choice(NAMES[label])}".strip()
    text = rng.choice(OPENINGS).format(thing) + rng.choice(ENDINGS)
    return text.replace("a almost", "an almost").replace("a ankle", "an ankle")


def shipped() -> list[dict[str, str]]:
    """A thousand different prompts, equally many of each class, not used in training."""
    rng = random.Random(common.SEED)
    found: dict[str, str] = {}
    for label in FASHION_CLASSES:
        wanted = len(found) + PER_CLASS
        while len(found) < wanted:
            found[make(label, rng.choice(("dark", "light", "")), rng)] = label
    rows = [{"prompt": prompt, "label": label} for prompt, label in found.items()]
    rng.shuffle(rows)
    return rows


def training_prompts(labels: np.ndarray, tones: list[str], seed: int) -> list[str]:
    """A prompt for each image, other than the shipped ones."""
    held = {row["prompt"] for row in shipped()}
    rng = random.Random(seed)
    made = []
    for label, tone in zip(labels, tones, strict=True):
        prompt = make(FASHION_CLASSES[label], tone, rng)
        while prompt in held:
            prompt = make(FASHION_CLASSES[label], tone, rng)
        made.append(prompt)
    return made

"""Canvases of one or two groups of clothes, and captions that are true by construction."""

from __future__ import annotations

import numpy as np

# The corners of all pictures lie on a grid, whose cells are the patches of the image encoder; so
# small encoders learn the kinds of clothes within minutes.
CELL = 14
ITEM = 2 * CELL
SIDE = 8 * CELL
HALF = SIDE // 2
MOST = 3
NUMBERS = ("a", "two", "three")

# One and several of each class of Fashion-MNIST, in the order of its labels.
NOUNS = (
    ("t-shirt", "t-shirts"),
    ("pair of trousers", "pairs of trousers"),
    ("pullover", "pullovers"),
    ("dress", "dresses"),
    ("coat", "coats"),
    ("sandal", "sandals"),
    ("shirt", "shirts"),
    ("sneaker", "sneakers"),
    ("bag", "bags"),
    ("ankle boot", "ankle boots"),
)

BACKGROUND = len(NOUNS)

# Probability of a canvas with one group, which fills the canvas alone.
SINGLE = 0.2


def phrase(label: int, count: int) -> str:
    """The group in words: "a bag", "an ankle boot", "two pairs of trousers"."""
    noun = NOUNS[label][min(count, 2) - 1]
    number = NUMBERS[count - 1]
    return f"{'an' if number == 'a' and noun[0] in 'aeiou' else number} {noun}"


def draw_group(
    view: np.ndarray, pictures: np.ndarray, is_column: bool, rng: np.random.Generator
) -> np.ndarray:
    """Lay pictures in one column or one row of a part of the canvas, at random places.

    Returns for each pixel of the part whether a picture covers it.
    """
    height, width = view.shape
    covered = np.zeros((height, width), bool)
    along, across = (height, width) if is_column else (width, height)
    count = len(pictures)
    starts = np.sort(rng.choice(along // CELL - count, count, replace=False)) + np.arange(count)
    for start, picture in zip(starts, pictures, strict=True):
        a, b = CELL * int(start), CELL * int(rng.integers(across // CELL - 1))
        y, x = (a, b) if is_column else (b, a)
        view[y : y + ITEM, x : x + ITEM] = picture
        covered[y : y + ITEM, x : x + ITEM] = True
    return covered


def canvas(
    pictures: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, list[str], np.ndarray]:
    """A canvas of pictures (N×28×28), its captions, and the label of each pixel.

    The canvas (112×112) has values of 0 to 255. The usual caption is the first one. Pixels outside
    all pictures have the label `BACKGROUND`.
    """
    ground = np.zeros((SIDE, SIDE), np.uint8)
    mask = np.full((SIDE, SIDE), BACKGROUND)
    is_column = bool(rng.integers(2))
    kinds = rng.choice(len(NOUNS), 1 if rng.random() < SINGLE else 2, replace=False)
    phrases = []
    for place, kind in enumerate(kinds):
        count = int(rng.integers(1, MOST + 1))
        chosen = pictures[rng.choice(np.flatnonzero(labels == kind), count, replace=False)]
        part = slice(HALF * place, HALF * (place + 1)) if len(kinds) == 2 else slice(None)
        area = (slice(None), part) if is_column else (part, slice(None))
        covered = draw_group(ground[area], chosen, is_column, rng)
        mask[area][covered] = kind
        phrases.append(phrase(int(kind), count))
    return ground, captions(phrases, is_column), mask


def captions(phrases: list[str], side_by_side: bool) -> list[str]:
    """Three true captions of one group, or of two groups from left to right or top to bottom."""
    if len(phrases) == 1:
        return [phrases[0], f"{phrases[0]} on a black background", f"a picture of {phrases[0]}"]
    first, second = phrases
    if side_by_side:
        return [
            f"{first} left of {second}",
            f"{second} right of {first}",
            f"{first} on the left and {second} on the right",
        ]
    return [
        f"{first} above {second}",
        f"{second} below {first}",
        f"{first} at the top and {second} at the bottom",
    ]


def vocabulary() -> list[str]:
    """All words of the usual captions."""
    words = {word for forms in NOUNS for noun in forms for word in noun.split()}
    return sorted(words | {*NUMBERS, "an", "left", "of", "above"})

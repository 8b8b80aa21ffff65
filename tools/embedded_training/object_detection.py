"""Object detection: images composed of real clothes; a configuration without weights."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from bench.workloads import embedded
from tools.embedded_training import common, configurations, sources

COUNT = 40
WIDTH, HEIGHT = 256, 192
SCALES = (1.0, 1.5, 2.0)
MOST = 6

# Darker pixels belong to the background.
FAINTEST = 16
GAP = 4
Corners = tuple[int, int, int, int]


def apart(one: Corners, other: Corners) -> bool:
    """Whether two boxes leave a gap between them."""
    return (
        one[2] + GAP <= other[0]
        or other[2] + GAP <= one[0]
        or one[3] + GAP <= other[1]
        or other[3] + GAP <= one[1]
    )


def piece(picture: np.ndarray, scale: float) -> np.ndarray:
    """One item of clothing, scaled and cropped to its bounding box."""
    side = round(picture.shape[0] * scale)
    grown = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR))
    rows, columns = np.where(grown >= FAINTEST)
    return grown[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def canvas(
    pictures: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, list[Corners], list[str]]:
    """Two to six items that do not touch, at random positions, with box and label."""
    ground = np.zeros((HEIGHT, WIDTH), np.uint8)
    boxes: list[Corners] = []
    names: list[str] = []
    wanted = int(rng.integers(2, MOST + 1))
    while len(boxes) < wanted:
        index = int(rng.integers(len(pictures)))
        shown = piece(pictures[index], float(rng.choice(SCALES)))
        height, width = shown.shape
        x0, y0 = int(rng.integers(WIDTH - width + 1)), int(rng.integers(HEIGHT - height + 1))
        box = (x0, y0, x0 + width, y0 + height)
        if all(apart(box, other) for other in boxes):
            ground[y0 : box[3], x0 : box[2]] = shown
            boxes.append(box)
            names.append(sources.FASHION_CLASSES[labels[index]])
    return ground, boxes, names


def write_data(job: common.Job) -> None:
    """Write 40 images composed of test images, and the rows with their boxes."""
    pictures, labels = sources.fashion(job.raw, "t10k")
    rng = np.random.default_rng(common.SEED)
    folder = embedded.FOLDER / "data" / "object-detection"
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number in range(COUNT):
        ground, boxes, names = canvas(pictures, labels, rng)
        file = f"object-detection/{number:02}.png"
        Image.fromarray(ground).save(embedded.FOLDER / "data" / file, optimize=True)
        objects = {"bbox": [list(box) for box in boxes], "category": names}
        rows.append({"image": file, "objects": objects})
    common.write_rows("object-detection", rows)


def train(job: common.Job) -> None:
    """Write the data and the configuration of one size; no weights are trained."""
    write_data(job)
    configurations.write("object-detection", job.size)

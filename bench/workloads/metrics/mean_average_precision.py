"""Mean average precision of COCO: over classes, and over overlaps of 0.5 to 0.95.

A pair holds two tuples of boxes, those that are there and those that were found. A class that is
nowhere in the references is not judged.
"""

from __future__ import annotations

import contextlib
import io
import math
from collections.abc import Iterator
from typing import Any

from bench.task import Box
from bench.workloads.metrics import Pairs

BETTER = "higher"
RANGE = (0.0, 1.0)
RESAMPLES = 100


def value(pairs: Pairs) -> float:
    """Not a number where nothing is there to be found."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    labels = sorted({box.label.lower() for right, _ in pairs for box in right})
    if not labels:
        return math.nan
    ids = {label: number for number, label in enumerate(labels, 1)}
    there, found = (list(_rows([pair[side] for pair in pairs], ids)) for side in (0, 1))
    if not found:
        return 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": image} for image in range(1, len(pairs) + 1)],
            "categories": [{"id": number, "name": label} for label, number in ids.items()],
            "annotations": there,
            "info": {},
        }
        truth.createIndex()
        scale = COCOeval(truth, truth.loadRes(found), "bbox")
        scale.evaluate()
        scale.accumulate()
        scale.summarize()
    return float(scale.stats[0])


def _rows(images: list[tuple[Box, ...]], ids: dict[str, int]) -> Iterator[dict[str, Any]]:
    """Every box of the known classes as COCO writes it: corner, width and height."""
    number = 0
    for image, boxes in enumerate(images, 1):
        for box in boxes:
            if box.label.lower() in ids:
                number += 1
                x0, y0, x1, y1 = box.corners
                yield {
                    "id": number,
                    "image_id": image,
                    "category_id": ids[box.label.lower()],
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                    "score": box.score,
                    "iscrowd": 0,
                }

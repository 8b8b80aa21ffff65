"""Mean average precision of COCO: the mean over classes and over overlaps from 0.5 to 0.95.

A pair holds two tuples of boxes, references and detections. Detections of a class without any
reference are ignored. Lin et al. 2014, Microsoft COCO.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import math
from collections.abc import Iterator
from typing import Any

from bench.task import Box
from bench.workloads.metrics import Pairs

BETTER = "higher"
RANGE = (0.0, 1.0)
RESAMPLES = 100


def value(pairs: Pairs) -> float:
    """NaN if no reference has a box."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    labels = sorted({box.label.lower() for reference, _ in pairs for box in reference})
    if not labels:
        return math.nan
    ids = {label: number for number, label in enumerate(labels, 1)}
    references, detections = (
        list(_annotations([pair[side] for pair in pairs], ids)) for side in (0, 1)
    )
    if not detections:
        return 0.0
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": image} for image in range(1, len(pairs) + 1)],
            "categories": [{"id": number, "name": label} for label, number in ids.items()],
            "annotations": references,
            "info": {},
        }
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(detections), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def _annotations(images: list[tuple[Box, ...]], ids: dict[str, int]) -> Iterator[dict[str, Any]]:
    """All boxes of the known classes as COCO annotations: corner, width and height."""
    numbers = itertools.count(1)
    for image, boxes in enumerate(images, 1):
        for box in boxes:
            if box.label.lower() in ids:
                x0, y0, x1, y1 = box.corners
                yield {
                    "id": next(numbers),
                    "image_id": image,
                    "category_id": ids[box.label.lower()],
                    "bbox": [x0, y0, x1 - x0, y1 - y0],
                    "area": (x1 - x0) * (y1 - y0),
                    "score": box.score,
                    "iscrowd": 0,
                }

"""Object detection: boxes with labels for one image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.task import Box, Embedded, Hub, Metric, Output, Request, Row, Setting, Task


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The image of a row; the boxes of its objects are the reference where the data set has some.

    Where the data set fixes a size, image and boxes are scaled to it.
    """
    image = row["image"]
    if image is None:
        return None
    objects = row.get("objects")
    scale = (1.0, 1.0)
    width, height = parameters.get("image_width"), parameters.get("image_height")
    if isinstance(width, int) and isinstance(height, int):
        scale = (width / image.width, height / image.height)
        image = image.resize((width, height))
    return Request(inputs={"image": image}, reference=boxes(objects, scale) if objects else None)


def boxes(objects: Mapping[str, Any], scale: tuple[float, float]) -> tuple[Box, ...]:
    """The objects of a row as boxes; "bbox" holds corners (x0, y0, x1, y1).

    `scale` is the horizontal and the vertical factor.
    """
    x_scale, y_scale = scale
    return tuple(
        Box(str(label), 1.0, (x0 * x_scale, y0 * y_scale, x1 * x_scale, y1 * y_scale))
        for label, (x0, y0, x1, y1) in zip(objects["category"], objects["bbox"], strict=True)
    )


def answer(request: Request, output: Output) -> tuple[tuple[Box, ...], tuple[Box, ...]] | None:
    """The reference boxes and the detected ones."""
    if request.reference is None or output.boxes is None:
        return None
    return request.reference, output.boxes


TASK = Task(
    id="object-detection",
    version=1,
    title="Object detection",
    tag="object-detection",
    inference="one image, one forward pass",
    unit="image",
    parameters={"score_threshold": 0.01},
    datasets={
        "embedded": Embedded("object-detection"),
        "standard": Hub("EnergyStarAI/object_detection", revision="main", split="train"),
        "power-hungry": Hub(
            "detection-datasets/coco",
            revision="cf0b22332314a937e9dc8a1957b21725430bb41d",
            split="val",
            parameters={"image_width": 640, "image_height": 480},
        ),
    },
    request=request,
    metric=Metric("mean average precision", "mean-average-precision", answer),
)

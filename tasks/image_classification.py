"""Image classification: one label for one image."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

UNNAMED = re.compile(r"label_?\d+", re.IGNORECASE)


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The image of a row, at the size that the data set fixes or else its own."""
    image = row["image"] if "image" in row else row["img"]
    if image is None:
        return None
    width, height = parameters.get("image_width"), parameters.get("image_height")
    if isinstance(width, int) and isinstance(height, int):
        image = image.resize((width, height))
    label = row.get("label")
    return Request(inputs={"image": image}, reference=label if isinstance(label, str) else None)


def answer(asked: Request, output: Output) -> tuple[str, str] | None:
    """The right label and the one given.

    A model that numbers its labels (LABEL_0) does not say what they mean, so none can be judged.
    ImageNet's labels are lists of synonyms, "tench, Tinca tinca": any of them is right.
    """
    if asked.reference is None or output.label is None or UNNAMED.fullmatch(output.label):
        return None
    right, got = names(asked.reference), names(output.label)
    return right[0], right[0] if set(right) & set(got) else got[0]


def names(label: str) -> list[str]:
    """The names of one label in small letters."""
    return [name.strip().lower().replace("_", " ") for name in label.split(",")]


TASK = Task(
    id="image-classification",
    version=1,
    title="Image classification",
    tag="image-classification",
    inference="one image, one forward pass",
    unit="image",
    parameters={},
    datasets={
        "embedded": Embedded("image-classification"),
        "standard": Hub("EnergyStarAI/image_classification", revision="main", split="train"),
        "power-hungry": Hub(
            "uoft-cs/cifar10",
            revision="0b2714987fa478483af9968de7c934580d0bb9a2",
            split="test",
            parameters={"image_width": 640, "image_height": 480},
        ),
    },
    request=request,
    metric=Metric("accuracy", "accuracy", answer),
)

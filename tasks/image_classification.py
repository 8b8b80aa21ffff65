"""Image classification: one label for one image."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

UNNAMED = re.compile(r"label_?\d+", re.IGNORECASE)


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The image of a row, resized where the data set fixes a size, and its label if named."""
    image = row["image"] if "image" in row else row["img"]
    if image is None:
        return None
    width, height = parameters.get("image_width"), parameters.get("image_height")
    if isinstance(width, int) and isinstance(height, int):
        image = image.resize((width, height))
    label = row.get("label")
    return Request(inputs={"image": image}, reference=label if isinstance(label, str) else None)


def answer(request: Request, output: Output) -> tuple[str, str] | None:
    """The reference label and the predicted one.

    None for a model with numbered labels (LABEL_0), whose meaning is not known. Labels of ImageNet
    are lists of synonyms, "tench, Tinca tinca", of which each one is correct.
    """
    if request.reference is None or output.label is None or UNNAMED.fullmatch(output.label):
        return None
    reference, label = synonyms(request.reference), synonyms(output.label)
    return reference[0], reference[0] if set(reference) & set(label) else label[0]


def synonyms(label: str) -> list[str]:
    """The synonyms in one label, in lower case."""
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

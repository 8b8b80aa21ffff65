"""Text classification: one label for one text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

UNNAMED = re.compile(r"label_?\d+", re.IGNORECASE)


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The text of a row; its label is the reference where the data set names it in words."""
    text = str(row["text"]).strip()
    if not text:
        return None
    label = row.get("label")
    return Request(inputs={"text": text}, reference=label if isinstance(label, str) else None)


def answer(asked: Request, output: Output) -> tuple[str, str] | None:
    """The right label and the one given; "neg" and "NEGATIVE" are the same.

    A model that numbers its labels (LABEL_0) does not say what they mean, so none can be judged.
    """
    if asked.reference is None or output.label is None or UNNAMED.fullmatch(output.label):
        return None
    right, got = str(asked.reference).lower(), output.label.lower()
    shorter, longer = sorted((right, got), key=len)
    same = len(shorter) >= 3 and longer.startswith(shorter)
    return right, right if same else got


TASK = Task(
    id="text-classification",
    version=1,
    title="Text classification",
    tag="text-classification",
    inference="one text, one forward pass",
    unit="inference",
    parameters={},
    datasets={
        "embedded": Embedded("text-classification"),
        "standard": Hub("EnergyStarAI/text_classification", revision="main", split="train"),
        "power-hungry": Hub(
            "stanfordnlp/imdb",
            revision="e6281661ce1c48d982bc483cf8a173c1bbeb5d31",
            split="test",
        ),
    },
    request=request,
    metric=Metric("accuracy", "accuracy", answer),
)

"""Text classification: one label for one text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

UNNAMED = re.compile(r"label_?\d+", re.IGNORECASE)


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The text of a row; its label is the reference where the data set names it in words."""
    text = str(row["sentence"] if "sentence" in row else row["text"]).strip()
    if not text:
        return None
    label = row.get("label")
    return Request(inputs={"text": text}, reference=label if isinstance(label, str) else None)


def answer(asked: Request, output: Output) -> tuple[str, str] | None:
    """The right label and the one given; "neg" and "NEGATIVE" are the same.

    A model that numbers its labels (LABEL_0) does not say what they mean, so none can be judged.
    One that was asked in words and named no label is wrong.
    """
    label = "" if output.label is None and output.text is not None else output.label
    if asked.reference is None or label is None or UNNAMED.fullmatch(label):
        return None
    right, got = str(asked.reference).lower(), label.lower()
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
        "power-hungry-sst2": Hub(
            "stanfordnlp/sst2",
            revision="8d51e7e4887a4caaa95b3fbebbf53c0490b58bbb",
            split="validation",
        ),
        "power-hungry-rotten-tomatoes": Hub(
            "cornell-movie-review-data/rotten_tomatoes",
            revision="aa13bc287fa6fcab6daf52f0dfb9994269ffea28",
            split="test",
        ),
    },
    request=request,
    metric=Metric("accuracy", "accuracy", answer),
)

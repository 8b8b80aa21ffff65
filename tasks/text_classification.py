"""Text classification: one label for one text."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

UNNAMED = re.compile(r"label_?\d+", re.IGNORECASE)


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The text of a row; its label is the reference where the data set has a name for it."""
    text = str(row["sentence"] if "sentence" in row else row["text"]).strip()
    if not text:
        return None
    label = row.get("label")
    return Request(inputs={"text": text}, reference=label if isinstance(label, str) else None)


def answer(request: Request, output: Output) -> tuple[str, str] | None:
    """The reference label and the predicted one; "neg" and "NEGATIVE" are the same.

    None for a model with numbered labels (LABEL_0), whose meaning is not known. A prompted model
    whose text contains no label is wrong.
    """
    label = "" if output.label is None and output.text is not None else output.label
    if request.reference is None or label is None or UNNAMED.fullmatch(label):
        return None
    reference, predicted = str(request.reference).lower(), label.lower()
    shorter, longer = sorted((reference, predicted), key=len)
    same = len(shorter) >= 3 and longer.startswith(shorter)
    return reference, reference if same else predicted


TASK = Task(
    id="text-classification",
    version=2,
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

"""Token classification: one tag for every word of a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

TAGS = ("tags", "ner_tags", "pos_tags")


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The words of a row; their tags are the reference where the data set has names for them."""
    words = tuple(str(word) for word in row["tokens"])
    if not words:
        return None
    tags = next((row[name] for name in TAGS if row.get(name)), ())
    named = len(tags) == len(words) and all(isinstance(tag, str) for tag in tags)
    return Request({"words": words}, reference=tuple(tags) if named else None)


def answer(request: Request, output: Output) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The reference tag and the predicted one of every word."""
    if request.reference is None or output.labels is None:
        return None
    return request.reference, output.labels


TASK = Task(
    id="token-classification",
    version=2,
    title="Token classification",
    tag="token-classification",
    inference="one sentence, one forward pass",
    unit="inference",
    parameters={},
    datasets={
        "embedded": Embedded("token-classification"),
        # AI Energy Score has no such task. Of Power Hungry's sets WikiANN alone can be read
        # without running code; its commit could not be looked up.
        "power-hungry": Hub(
            "unimelb-nlp/wikiann", revision="main", split="test", configuration="en"
        ),
    },
    request=request,
    metric=Metric("F1", "span-f1", answer),
)

"""Sentence similarity: the cosine of the embeddings of two sentences."""

from __future__ import annotations

from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

SCORES = ("score", "similarity_score", "label")


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The two sentences of a row; their similarity score is the reference where there is one."""
    first, second = str(row["sentence1"]).strip(), str(row["sentence2"]).strip()
    if not first or not second:
        return None
    score = next((row[name] for name in SCORES if isinstance(row.get(name), int | float)), None)
    return Request(
        {"sentence1": first, "sentence2": second},
        reference=None if score is None else float(score),
    )


def answer(request: Request, output: Output) -> tuple[float, float] | None:
    """The similarity by human annotators, and the predicted one."""
    if request.reference is None or output.score is None:
        return None
    return request.reference, output.score


TASK = Task(
    id="sentence-similarity",
    version=1,
    title="Sentence similarity",
    tag="sentence-similarity",
    inference="one pair of sentences, one forward pass over both",
    unit="inference",
    parameters={},
    datasets={
        "embedded": Embedded("sentence-similarity"),
        "standard": Hub("EnergyStarAI/sentence_similarity", revision="main", split="train"),
    },
    request=request,
    metric=Metric("Spearman correlation", "spearman", answer),
)

"""Summarization: exactly 10 new tokens for a long text, by greedy decoding."""

from __future__ import annotations

from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

TEXTS = ("text", "article", "document")
SUMMARIES = ("summary", "highlights")


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The text of a row, which a model truncates to its longest input, and its summary."""
    column = next((name for name in TEXTS if name in row), TEXTS[0])
    text = str(row[column]).strip()
    if not text:
        return None
    summary = next((row[name] for name in SUMMARIES if isinstance(row.get(name), str)), None)
    return Request(inputs={"text": text}, reference=summary.strip() if summary else None)


def answer(request: Request, output: Output) -> tuple[str, str] | None:
    """The reference summary and the first tokens of the generated one."""
    if not request.reference or output.text is None:
        return None
    return request.reference, output.text


TASK = Task(
    id="summarization",
    version=2,
    title="Summarization",
    tag="summarization",
    inference="10 new tokens about one text",
    unit="token",
    parameters={"new_tokens": 10, "do_sample": False, "num_beams": 1},
    datasets={
        "embedded": Embedded("summarization"),
        "standard": Hub("EnergyStarAI/summarization", revision="main", split="train"),
        "power-hungry": Hub(
            "abisee/cnn_dailymail",
            revision="96df5e686bee6baa90b8bee7c28b81fa3fa6223d",
            split="test",
            configuration="3.0.0",
        ),
    },
    request=request,
    metric=Metric("ROUGE-L", "rouge-l", answer),
)

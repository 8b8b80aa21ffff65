"""Question answering: the span of a text that answers a question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """Question and context of a row; the reference is a tuple of all accepted answers.

    A question without an answer is served, but not scored.
    """
    question = str(row["question"]).strip()
    context = str(row["support"] if "support" in row else row["context"]).strip()
    if not question or not context:
        return None
    answers = row.get("answers", row.get("correct_answer"))
    return Request({"question": question, "context": context}, reference=_texts(answers) or None)


def _texts(answers: Any) -> tuple[str, ...]:
    """The answers of a row without duplicates: from SQuAD's table, a list, or one text."""
    if isinstance(answers, Mapping):
        answers = answers.get("text")
    if isinstance(answers, str):
        answers = [answers]
    return tuple(dict.fromkeys(text for text in answers or () if isinstance(text, str) and text))


def answer(request: Request, output: Output) -> tuple[tuple[str, ...], str] | None:
    """The accepted answers and the predicted one."""
    if not request.reference or output.text is None:
        return None
    return request.reference, output.text


TASK = Task(
    id="question-answering",
    version=2,
    title="Question answering",
    tag="question-answering",
    inference="one question about one text, one forward pass",
    unit="inference",
    parameters={"longest_answer_tokens": 30},
    datasets={
        "embedded": Embedded("question-answering"),
        "standard": Hub("EnergyStarAI/extractive_qa", revision="main", split="train"),
        "power-hungry": Hub(
            "rajpurkar/squad",
            revision="7b6d24c440a36b6815f21b70d25016731768db1f",
            split="validation",
        ),
        "power-hungry-squad2": Hub(
            "rajpurkar/squad_v2",
            revision="3ffb306f725f7d2ce8394bc1873b24868140c412",
            split="validation",
        ),
        "power-hungry-sciq": Hub(
            "allenai/sciq",
            revision="2c94ad3e1aafab77146f384e23536f97a4849815",
            split="test",
        ),
    },
    request=request,
    metric=Metric("F1", "answer-f1", answer),
)

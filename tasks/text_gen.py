"""Text generation: exactly 10 new tokens after a prompt, by greedy decoding."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

WORD = re.compile(r"[^\W_]+")


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The prompt of a row; the first word of its continuation is the reference."""
    text = str(row["text"]).strip()
    continuation = str(row.get("continuation") or "")
    limit = parameters.get("prompt_words")
    if isinstance(limit, int):
        words = text.split()
        text, continuation = " ".join(words[:limit]), " ".join(words[limit:])
    if not text:
        return None
    return Request(inputs={"text": text}, reference=first_word(continuation))


def answer(request: Request, output: Output) -> tuple[str, str] | None:
    """The next word of the source text, and the first generated word."""
    if request.reference is None or output.text is None:
        return None
    return request.reference, first_word(output.text) or ""


def first_word(text: str) -> str | None:
    """The first word of a text in lower case, or None."""
    match = WORD.search(text)
    return match.group().lower() if match else None


TASK = Task(
    id="text-gen",
    version=2,
    title="Text generation",
    tag="text-generation",
    inference="10 new tokens after one prompt",
    unit="token",
    parameters={"new_tokens": 10, "do_sample": False},
    datasets={
        "embedded": Embedded("text-gen"),
        "standard": Hub("EnergyStarAI/text_generation", revision="main", split="train"),
        "power-hungry": Hub(
            "Salesforce/wikitext",
            revision="b08601e04326c79dfdd32d625aee71d232d685c3",
            split="test",
            configuration="wikitext-2-raw-v1",
            parameters={"prompt_words": 20},
        ),
    },
    request=request,
    metric=Metric("next-word accuracy", "accuracy", answer),
)

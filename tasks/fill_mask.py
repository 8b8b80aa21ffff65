"""Masked-language modelling: the word that was taken out of a text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

# Names and short words aside: what is left can be guessed from what stands around it.
WORD = re.compile(r"(?<![\w'-])[a-z]{3,}(?![\w'-])")
MASK = "[MASK]"


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The beginning of a text without one of its words, which is the reference.

    Which word is taken out depends on the text alone, so that it is the same everywhere.
    """
    words = str(row["text"]).split()
    limit = parameters.get("text_words")
    text = " ".join(words[:limit] if isinstance(limit, int) else words)
    found = list(WORD.finditer(text))
    if not found or MASK in text:
        return None
    chosen = found[zlib.crc32(text.encode()) % len(found)]
    masked = f"{text[: chosen.start()]}{MASK}{text[chosen.end() :]}"
    return Request({"text": masked}, reference=chosen.group())


def answer(asked: Request, output: Output) -> tuple[str, str] | None:
    """The word that was taken out, and the one that the model puts there."""
    if asked.reference is None or output.text is None:
        return None
    return asked.reference, output.text.strip().lower()


TASK = Task(
    id="fill-mask",
    version=1,
    title="Masked-language modelling",
    tag="fill-mask",
    inference="one text with one word to fill in, one forward pass",
    unit="inference",
    parameters={"text_words": 100},
    datasets={
        "embedded": Embedded("fill-mask"),
        # AI Energy Score has no such task. Of Power Hungry's sets C4 alone can be read without
        # running code: one of its eight validation files.
        "power-hungry": Hub(
            "allenai/c4",
            revision="1588ec454efa1a09f29cd18ddd04fe05fc8653a2",
            split="validation",
            file="en/c4-validation.00000-of-00008.json.gz",
        ),
    },
    request=request,
    metric=Metric("masked-word accuracy", "accuracy", answer),
)

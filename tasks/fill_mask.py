"""Masked-language modelling: one masked word of a text."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

# Without names and short words: the others can be predicted from their context.
WORD = re.compile(r"(?<![\w'-])[a-z]{3,}(?![\w'-])")
MASK = "[MASK]"


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The beginning of a text with one word masked; the word is the reference.

    The CRC-32 of the text selects the word, so that it is the same on every machine.
    """
    words = str(row["text"]).split()
    limit = parameters.get("text_words")
    text = " ".join(words[:limit] if isinstance(limit, int) else words)
    words_to_mask = list(WORD.finditer(text))
    if not words_to_mask or MASK in text:
        return None
    word = words_to_mask[zlib.crc32(text.encode()) % len(words_to_mask)]
    masked = f"{text[: word.start()]}{MASK}{text[word.end() :]}"
    return Request({"text": masked}, reference=word.group())


def answer(request: Request, output: Output) -> tuple[str, str] | None:
    """The masked word and the predicted one."""
    if request.reference is None or output.text is None:
        return None
    return request.reference, output.text.strip().lower()


TASK = Task(
    id="fill-mask",
    version=2,
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

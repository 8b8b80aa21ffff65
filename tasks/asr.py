"""Speech recognition: what is said in one recording."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

RATE = 16_000
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The sound of a row, with what is said in it where the data set knows it.

    A recording longer than the longest is left out: models cut it at different places.
    """
    sound = row["audio"]
    if sound is None or not 0 < len(sound) / RATE <= float(parameters["longest_seconds"] or 0):
        return None
    said = row.get("text") or row.get("sentence") or row.get("transcription")
    return Request(inputs={"audio": sound}, reference=spoken(str(said)) if said else None)


def answer(asked: Request, output: Output) -> tuple[str, str] | None:
    """What was said and what was heard, in small letters without punctuation."""
    if not asked.reference or output.text is None:
        return None
    return asked.reference, spoken(output.text)


def spoken(text: str) -> str:
    """The words of a text in small letters."""
    return " ".join(WORD.findall(text.lower().replace("’", "'")))


TASK = Task(
    id="asr",
    version=1,
    title="Speech recognition",
    tag="automatic-speech-recognition",
    inference="the words of one recording",
    unit="audio-second",
    parameters={
        "language": "en",
        "longest_seconds": 30.0,
        "max_new_tokens": 400,
        "random_new_tokens": 32,
        "do_sample": False,
    },
    datasets={
        "embedded": Embedded("asr"),
        "standard": Hub("EnergyStarAI/ASR", revision="main", split="train"),
    },
    request=request,
    metric=Metric("word error rate", "word-error-rate", answer),
)

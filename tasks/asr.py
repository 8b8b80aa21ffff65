"""Speech recognition: the words of one recording."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task

SAMPLE_RATE_HZ = 16_000
WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The sound of a row; its transcription is the reference where the data set has one.

    A recording longer than `longest_seconds` is left out, as models truncate it differently.
    """
    sound = row["audio"]
    if sound is None or not 0 < len(sound) / SAMPLE_RATE_HZ <= float(
        parameters["longest_seconds"] or 0
    ):
        return None
    text = row.get("text") or row.get("sentence") or row.get("transcription")
    return Request(inputs={"audio": sound}, reference=normalise(str(text)) if text else None)


def answer(request: Request, output: Output) -> tuple[str, str] | None:
    """The two transcriptions, in lower case without punctuation."""
    if not request.reference or output.text is None:
        return None
    return request.reference, normalise(output.text)


def normalise(text: str) -> str:
    """The words of a text in lower case, separated by single spaces."""
    return " ".join(WORD.findall(text.lower().replace("’", "'")))


TASK = Task(
    id="asr",
    version=2,
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

"""Who submitted a result, and what they say of it: a small file beside the frozen record.

`<id>.note` lies beside `<id>.json`, so that neither a name nor a remark changes the content that
the submission is named by, and two pull requests never touch the same file.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from bench.results import storage
from bench.results.fields import Record

MAX_BYTES = 10_000


def _shown(text: str) -> str:
    """Refuse what hides or turns the words around it, such as control and bidi characters."""
    if any(unicodedata.category(character)[0] == "C" for character in text):
        raise ValueError("it holds characters that cannot be shown")
    return text


Words = Annotated[str, Field(min_length=1), AfterValidator(_shown)]


class Note(Record):
    """What a submitter adds to a result. Shown as plain text, believed in nothing."""

    schema_version: Literal[1] = 1
    name: Annotated[Words, Field(max_length=100)] | None = None
    note: Annotated[Words, Field(max_length=500)] | None = None


def make(name: str | None, note: str | None) -> Note | None:
    """The note of these words, or None where there are none. Raises ValueError with a sentence."""
    if name is None and note is None:
        return None
    try:
        return Note(name=name, note=note)
    except ValidationError as error:
        raise ValueError(_why(error)) from error


def beside(path: Path) -> Path:
    """Where the note on a submission lies."""
    return path.with_suffix(".note")


def read(path: Path) -> Note:
    """Read a note. Raises store.Unreadable with a sentence where it is none."""
    try:
        return Note.model_validate_json(storage.read_bytes(path, MAX_BYTES), strict=True)
    except ValidationError as error:
        raise storage.UnreadableRecord(f"{path} is no note: {_why(error)}") from error


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the note'}: {first['msg']}"

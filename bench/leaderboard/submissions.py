"""Folder layout, duplicates, adding one."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError

from bench.leaderboard.signatures import SIGNERS, sign, signature_path
from bench.leaderboard.validation import ValidationIssue, refusals, validate_file
from bench.results import storage
from bench.results.fields import Record
from bench.results.record import Result
from bench.results.storage import canonical_json, content_id

RECORD = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[0-9a-f]{16}\.json")
BESIDE = (".json.sig", ".note", ".note.sig")
ALSO = {SIGNERS, "README.md"}


class SubmissionRefused(ValueError):
    """A submission that was refused; `findings` say why, `reasons` are their sentences."""

    def __init__(self, findings: Iterable[ValidationIssue]) -> None:
        self.findings = tuple(findings)
        self.reasons = tuple(item.message for item in self.findings)
        super().__init__(" ".join(self.reasons))


def submit(
    path: Path,
    folder: Path,
    *,
    name: str | None = None,
    remark: str | None = None,
    key: Path | None = None,
) -> tuple[Path, tuple[ValidationIssue, ...]]:
    """Check a result file and add it to the submissions; gives the new path, and what was found.

    Raises Refused with every reason if it is refused, ValueError for a bad name, note or key.
    """
    verdict = validate_file(path)
    added = make(name, remark)
    if verdict.result is None or verdict.refusals:
        raise SubmissionRefused(verdict.findings)
    result = verdict.result
    if twins := list(duplicates(result, folder)):
        raise SubmissionRefused(twins)
    target = folder / result.task.id / f"{content_id(result)}.json"
    texts = {target: canonical_json(result)}
    if added is not None:
        texts[note_path(target)] = f"{added.model_dump_json()}\n"
    # Signed before anything is written: a key that does not work leaves nothing behind.
    signatures = _signed(texts, key) if key else {}
    for place, text in {**signatures, **texts}.items():
        storage.write_text(place, text)
    return target, verdict.findings


def _signed(texts: dict[Path, str], key: Path) -> dict[Path, str]:
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for place, text in texts.items():
            draft = Path(folder) / place.name
            draft.write_text(text, encoding="utf-8")
            sign(draft, key)
            found[signature_path(place)] = signature_path(draft).read_text(encoding="ascii")
    return found


def list_records(folder: Path) -> tuple[list[Path], dict[Path, tuple[ValidationIssue, ...]]]:
    """The records of a folder in order, and everything that has no business there, with why."""
    found: list[str] = []
    strange: dict[Path, tuple[ValidationIssue, ...]] = {}
    for place, folders, files in os.walk(folder):
        folders.sort()
        inside = os.path.basename(place) if place != str(folder) else ""
        for name in (*folders, *sorted(files)):
            path = os.path.join(place, name)
            if why := _strange(Path(path), folder, inside):
                strange[Path(path)] = tuple(refusals("misplaced", [f"Misplaced: {why}."]))
            elif inside and name.endswith(".json"):
                found.append(path)
    return [Path(path) for path in found], strange


def named(path: Path) -> bool:
    """Whether a path ends as that of a record does."""
    return RECORD.fullmatch("/".join(path.parts[-2:])) is not None


def _strange(path: Path, folder: Path, inside: str) -> str | None:
    if path.is_symlink():
        return "a link is no submission"
    if RECORD.fullmatch(f"{inside}/{path.name}") and path.parent.parent == folder:
        return None if not path.is_dir() else "submissions lie one folder deep"
    depth = len(path.relative_to(folder).parts)
    if path.is_dir():
        return None if depth == 1 else "submissions lie one folder deep"
    if depth == 1:
        return None if path.name in ALSO else "a submission lies in the folder of its task"
    suffix = next((end for end in BESIDE if path.name.endswith(end)), None)
    return "its name is not <task>/<id>.json" if suffix is None else _orphan(path, suffix)


def _orphan(path: Path, suffix: str) -> str | None:
    """What a note or a signature lies beside has to be there."""
    record = path.with_name(f"{path.name.removesuffix(suffix)}.json")
    if not named(record) or not record.is_file():
        return "there is no submission that it belongs to"
    unsigned = suffix == ".note.sig" and not note_path(record).is_file()
    return "there is no note that it signs" if unsigned else None


def identity_marks(result: Result) -> tuple[str, ...]:
    """What no two submissions share: the run's id, and what its measured trials read."""
    read = [
        (trial.duration_seconds, [(r.domain, r.energy_joules) for r in trial.readings])
        for trial in result.measured()
    ]
    raw = [f"trials {hashlib.sha256(repr(read).encode()).hexdigest()}"] if read else []
    return (f"run {result.run_id}", *raw)


def duplicate(shared: str) -> ValidationIssue:
    """The refusal of a submission that shares this mark with another."""
    what = "its run id" if shared.startswith("run") else "the same trials"
    sentence = f"Duplicate: a submission with {what} is there already."
    return next(refusals("duplicate", [sentence]))


def duplicates(result: Result, folder: Path) -> Iterator[ValidationIssue]:
    """A refusal if the run is among the submissions already."""
    mine = identity_marks(result)
    # A look at the bytes tells all but a few files apart without reading them as results.
    clues = [result.run_id, *(repr(trial.duration_seconds) for trial in result.measured()[:1])]
    for path in list_records(folder)[0]:
        try:
            content = storage.read_bytes(path)
            if any(clue.encode() in content for clue in clues):
                theirs = identity_marks(storage.parse_result(content, str(path)))
                yield from [duplicate(mark) for mark in mine if mark in theirs][:1]
        except storage.UnreadableRecord:
            continue


MAX_BYTES = 10_000


def _shown(text: str) -> str:
    """Refuse what hides or turns the words around it, such as control and bidi characters."""
    if any(unicodedata.category(character)[0] == "C" for character in text):
        raise ValueError("it holds characters that cannot be shown")
    return text


Words = Annotated[str, Field(min_length=1), AfterValidator(_shown)]


class SubmissionNote(Record):
    """What a submitter adds to a result. Shown as plain text, believed in nothing."""

    schema_version: Literal[1] = 1
    name: Annotated[Words, Field(max_length=100)] | None = None
    note: Annotated[Words, Field(max_length=500)] | None = None


def make(name: str | None, note: str | None) -> SubmissionNote | None:
    """The note of these words, or None where there are none. Raises ValueError with a sentence."""
    if name is None and note is None:
        return None
    try:
        return SubmissionNote(name=name, note=note)
    except ValidationError as error:
        raise ValueError(_why(error)) from error


def note_path(path: Path) -> Path:
    """Where the note on a submission lies."""
    return path.with_suffix(".note")


def read_note(path: Path) -> SubmissionNote:
    """Read a note. Raises store.Unreadable with a sentence where it is none."""
    try:
        return SubmissionNote.model_validate_json(storage.read_bytes(path, MAX_BYTES), strict=True)
    except ValidationError as error:
        raise storage.UnreadableRecord(f"{path} is no note: {_why(error)}") from error


def _why(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the note'}: {first['msg']}"

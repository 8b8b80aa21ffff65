"""The folder of submissions: its layout, duplicates, notes, and adding a submission."""

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

RECORD_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[0-9a-f]{16}\.json")
COMPANION_SUFFIXES = (".json.sig", ".note", ".note.sig")
OTHER_FILES = {SIGNERS, "README.md"}

# A note holds at most 600 characters of text: in UTF-8 and as JSON escapes below 10 kB.
MAX_NOTE_BYTES = 10_000


class SubmissionRefused(ValueError):
    """A submission that was refused; `issues` state why."""

    def __init__(self, issues: Iterable[ValidationIssue]) -> None:
        self.issues = tuple(issues)
        super().__init__(" ".join(issue.message for issue in self.issues))


def _displayable(text: str) -> str:
    """Refuse characters that hide or reorder text: control, format and bidirectional characters."""
    if any(unicodedata.category(character)[0] == "C" for character in text):
        raise ValueError("it contains characters that cannot be shown")
    return text


DisplayText = Annotated[str, Field(min_length=1), AfterValidator(_displayable)]


class SubmissionNote(Record):
    """The name and the remark that a submitter adds to a result: plain text, unverified."""

    schema_version: Literal[1] = 1
    name: Annotated[DisplayText, Field(max_length=100)] | None = None
    note: Annotated[DisplayText, Field(max_length=500)] | None = None


def submit(
    path: Path,
    folder: Path,
    *,
    name: str | None = None,
    remark: str | None = None,
    key: Path | None = None,
) -> tuple[Path, tuple[ValidationIssue, ...]]:
    """Validate a result file and add it to the submissions; returns the new path and all issues.

    `name` and `remark` become the note, `key` is an SSH key to sign with. Raises SubmissionRefused
    with every reason if the result is refused, ValueError for a bad name, remark or key, OSError
    where the folder cannot be written.
    """
    report = validate_file(path)
    note = _make_note(name, remark)
    if report.result is None or report.refusals:
        raise SubmissionRefused(report.issues)
    result = report.result
    if issues := list(duplicates(result, folder)):
        raise SubmissionRefused(issues)
    target = folder / result.task.id / f"{content_id(result)}.json"
    texts = {target: canonical_json(result)}
    if note is not None:
        texts[note_path(target)] = f"{note.model_dump_json()}\n"
    # Signed before anything is written, so that a key that does not work leaves no file behind.
    signature_texts = _sign_all(texts, key) if key else {}
    for file, text in {**signature_texts, **texts}.items():
        storage.write_text(file, text)
    return target, report.issues


def _sign_all(texts: dict[Path, str], key: Path) -> dict[Path, str]:
    signature_texts = {}
    with tempfile.TemporaryDirectory() as folder:
        for file, text in texts.items():
            draft = Path(folder) / file.name
            draft.write_text(text, encoding="utf-8")
            sign(draft, key)
            signature_texts[signature_path(file)] = signature_path(draft).read_text("ascii")
    return signature_texts


def list_records(folder: Path) -> tuple[list[Path], dict[Path, tuple[ValidationIssue, ...]]]:
    """The record files of a folder in order, and the misplaced files with the reason."""
    records: list[str] = []
    misplaced: dict[Path, tuple[ValidationIssue, ...]] = {}
    for parent, folders, files in os.walk(folder):
        folders.sort()
        task = os.path.basename(parent) if parent != str(folder) else ""
        for name in (*folders, *sorted(files)):
            path = os.path.join(parent, name)
            if reason := _why_misplaced(Path(path), folder, task):
                issue = refusals("misplaced", [f"Misplaced: {reason}."])
                misplaced[Path(path)] = tuple(issue)
            elif task and name.endswith(".json"):
                records.append(path)
    return [Path(path) for path in records], misplaced


def is_record_path(path: Path) -> bool:
    """Whether a path ends like that of a record: <task>/<16 hexadecimal digits>.json."""
    return RECORD_NAME.fullmatch("/".join(path.parts[-2:])) is not None


def _why_misplaced(path: Path, folder: Path, task: str) -> str | None:
    if path.is_symlink():
        return "a submission must be a file, not a link"
    if RECORD_NAME.fullmatch(f"{task}/{path.name}") and path.parent.parent == folder:
        return None if not path.is_dir() else "submissions are one folder deep"
    depth = len(path.relative_to(folder).parts)
    if path.is_dir():
        return None if depth == 1 else "submissions are one folder deep"
    if depth == 1:
        known = path.name in OTHER_FILES
        return None if known else "a submission must be in the folder of its task"
    suffix = next((end for end in COMPANION_SUFFIXES if path.name.endswith(end)), None)
    return "its name is not <task>/<id>.json" if suffix is None else _why_orphan(path, suffix)


def _why_orphan(path: Path, suffix: str) -> str | None:
    """Why a note or a signature has no file that it belongs to; None where it has one."""
    record = path.with_name(f"{path.name.removesuffix(suffix)}.json")
    if not is_record_path(record) or not record.is_file():
        return "there is no submission that it belongs to"
    unsigned = suffix == ".note.sig" and not note_path(record).is_file()
    return "there is no note that it signs" if unsigned else None


def identities(result: Result) -> tuple[str, ...]:
    """Texts that no two submissions share: the run id, and a hash of the measured trials."""
    trials = [
        (trial.duration_seconds, [(r.domain, r.energy_joules) for r in trial.readings])
        for trial in result.measured()
    ]
    run = f"run {result.run_id}"
    return (
        (run, f"trials {hashlib.sha256(repr(trials).encode()).hexdigest()}") if trials else (run,)
    )


def duplicate_issue(identity: str, *, origin_unclear: bool = False) -> ValidationIssue:
    """The refusal of a submission that shares an identity with another one.

    `origin_unclear` says that nothing shows which of them is the copy, so that all are refused.
    """
    shared = "run id" if identity.startswith("run") else "trials"
    message = f"Duplicate: another submission has the same {shared}"
    if origin_unclear:
        message += " and the same date, and no git history shows which came first: all are refused"
    return next(refusals("duplicate", [f"{message}."]))


def duplicates(result: Result, folder: Path) -> Iterator[ValidationIssue]:
    """A refusal for every submission in the folder that shares the run id or the trials."""
    own = identities(result)
    # Searching the bytes first excludes nearly all files without parsing them.
    texts = [result.run_id, *(repr(trial.duration_seconds) for trial in result.measured()[:1])]
    for path in list_records(folder)[0]:
        try:
            content = storage.read_bytes(path)
            if any(text.encode() in content for text in texts):
                others = identities(storage.parse_result(content, str(path)))
                yield from [duplicate_issue(identity) for identity in own if identity in others][:1]
        except storage.UnreadableRecord:
            continue


def _make_note(name: str | None, note: str | None) -> SubmissionNote | None:
    """A note, or None without name and remark. Raises ValueError where one cannot be shown."""
    if name is None and note is None:
        return None
    try:
        return SubmissionNote(name=name, note=note)
    except ValidationError as error:
        raise ValueError(_first_error(error)) from error


def note_path(path: Path) -> Path:
    """The path of the note on a submission."""
    return path.with_suffix(".note")


def read_note(path: Path) -> SubmissionNote:
    """Read a note. Raises UnreadableRecord with a sentence where the file is not one."""
    content = storage.read_bytes(path, MAX_NOTE_BYTES)
    try:
        return SubmissionNote.model_validate_json(content, strict=True)
    except ValidationError as error:
        message = f"{path} is not a submission note: {_first_error(error)}"
        raise storage.UnreadableRecord(message) from error


def _first_error(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the note'}: {first['msg']}"

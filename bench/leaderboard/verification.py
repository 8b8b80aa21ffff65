"""Validate a folder of submissions again from their raw trials, on all processors.

Each process reduces an accepted submission to the data that the caller needs, so that 100,000
records are never in memory at once.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from bench.leaderboard import signatures, submissions
from bench.leaderboard.validation import (
    REMEDIES,
    ValidationIssue,
    refusals,
    unreadable,
    validate_bytes,
)
from bench.results import storage
from bench.results.record import Result

T = TypeVar("T")

# Records per task of a process: large enough that the cost of starting a task is negligible.
BATCH_SIZE = 250


@dataclass(frozen=True, slots=True)
class Submission:
    """An accepted result with its validation issues, its note and who signed it."""

    result: Result
    issues: tuple[ValidationIssue, ...]
    id: str
    note: submissions.SubmissionNote | None
    signer: str | None


def has_rank(submission: Submission) -> bool:
    """Whether a submission is ranked, not only listed."""
    return not any(issue.severity == "no-rank" for issue in submission.issues)


Transform = Callable[[Submission], T]
IssuesByFile = dict[Path, tuple[ValidationIssue, ...]]


@dataclass
class VerificationResult(Generic[T]):
    """The accepted submissions, transformed, and the issues of the others by file.

    `remarks` are issues that do not refuse a submission.
    """

    accepted: list[T] = field(default_factory=list)
    refused: IssuesByFile = field(default_factory=dict)
    remarks: IssuesByFile = field(default_factory=dict)


class _CheckedRecord(NamedTuple, Generic[T]):
    """One record file after validation; `accepted` is None where it is refused."""

    path: Path
    created_at: str
    identities: tuple[str, ...]
    accepted: T | None
    refused: IssuesByFile
    remarks: tuple[ValidationIssue, ...]


def verify_folder(folder: Path, transform: Transform[T]) -> VerificationResult[T]:
    """Validate every file of a folder of submissions; `transform` is applied to each accepted one.

    With many files `transform` runs in other processes: it and what it returns must be picklable.
    """
    paths, misplaced = submissions.list_records(folder)
    result: VerificationResult[T] = VerificationResult(refused=misplaced)
    with _garbage_collection_paused():
        records = list(_check_all(paths, transform))
    duplicates = _duplicates(folder, records)
    for record in records:
        result.refused |= record.refused
        if record.accepted is None:
            continue
        if record.path in duplicates:
            result.refused[record.path] = (duplicates[record.path],)
            continue
        result.accepted.append(record.accepted)
        if record.remarks:
            result.remarks[record.path] = record.remarks
    return result


def collect_submissions(folder: Path) -> VerificationResult[Submission]:
    """Validate every submission and return those accepted, for folders that fit in memory."""
    return verify_folder(folder, copy)


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Receiving 100,000 rows makes millions of objects without cycles: collections find nothing.

    With 5,000 submissions they took half of the time of the receiving process.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _check_all(paths: Sequence[Path], transform: Transform[T]) -> Iterator[_CheckedRecord[T]]:
    check = partial(_check, transform=transform)
    # Starting processes takes about as long as two batches.
    if len(paths) <= 2 * BATCH_SIZE or (os.cpu_count() or 1) < 2:
        yield from map(check, paths)
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(check, paths, chunksize=BATCH_SIZE)


def _check(path: Path, transform: Transform[T]) -> _CheckedRecord[T]:
    try:
        content = storage.read_bytes(path)
    except storage.UnreadableRecord as error:
        return _refused(path, unreadable(error).issues)
    report = validate_bytes(content, path.name)
    result, refused = report.result, [i for i in report.issues if i.severity == "refused"]
    if result is None or refused:
        return _refused(path, refused)
    if path.parts[-2:] != (result.task.id, f"{storage.content_id(content)}.json"):
        message = "Misplaced: the file name does not match the content: it was moved or edited."
        return _refused(path, refusals("misplaced", [message]))
    try:
        signer, remarks = _signer(path, content)
    except ValueError as error:
        return _refused(path, refusals("signature", [str(error)]))
    note, refused_note = _note(path)
    accepted = transform(Submission(result, report.issues, path.stem, note, signer))
    identities = submissions.identities(result)
    return _CheckedRecord(path, result.created_at, identities, accepted, refused_note, remarks)


def _refused(path: Path, issues: Iterable[ValidationIssue]) -> _CheckedRecord[T]:
    return _CheckedRecord(path, "", (), None, {path: tuple(issues)}, ())


def _signer(path: Path, content: bytes) -> tuple[str | None, tuple[ValidationIssue, ...]]:
    """Who signed a file, and remarks on a signature that identifies no allowed signer."""
    signature = signatures.signature_path(path)
    if not _is_plain_file(signature):
        return None, ()
    try:
        name = signatures.signer(content, signature, path.parents[1] / signatures.SIGNERS)
    except signatures.SshKeygenMissing as error:
        return None, (
            ValidationIssue("note", "signature-unchecked", f"{error}.", REMEDIES["signature"]),
        )
    if name is not None:
        return name, ()
    message = "The signature is valid, but its key is not among the allowed signers."
    return None, (ValidationIssue("note", "unknown-signer", message, REMEDIES["unknown-signer"]),)


def _is_plain_file(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _note(record: Path) -> tuple[submissions.SubmissionNote | None, IssuesByFile]:
    """The note on a record, or None; a note that is broken or wrongly signed is refused."""
    path = submissions.note_path(record)
    if not _is_plain_file(path):
        return None, {}
    try:
        note = submissions.read_note(path)
        _signer(path, path.read_bytes())
    except storage.UnreadableRecord as error:
        return None, {path: unreadable(error).issues}
    except ValueError as error:
        return None, {path: tuple(refusals("signature", [str(error)]))}
    return note, {}


def _duplicates(folder: Path, records: Sequence[_CheckedRecord[T]]) -> dict[Path, ValidationIssue]:
    """The refusal of every record that shares a run id or its trials with another that was first.

    First is the record whose file was committed first in the folder's git repository: a file that
    is not committed comes after all that are. Without a repository, or within one commit, the
    record with the older `created_at` is first. Where that is equal too, nothing in the files shows
    which is the copy, and all of them are refused: a rule such as the lower id could be met by a
    copier who changes a field until the id fits. The honest submitter is thus protected by the
    history of the repository, and never loses a place to a copy without a message.
    """
    by_identity: dict[str, list[_CheckedRecord[T]]] = defaultdict(list)
    for record in records:
        for identity in record.identities:
            by_identity[identity].append(record)
    shared = {name: group for name, group in by_identity.items() if len(group) > 1}
    if not shared:
        return {}
    commits = _first_commits(folder)

    def age(record: _CheckedRecord[T]) -> tuple[int, str]:
        return commits.get(record.path.resolve(), sys.maxsize), record.created_at

    duplicates: dict[Path, ValidationIssue] = {}
    for identity, group in shared.items():
        first = min(age(record) for record in group)
        unclear = sum(age(record) == first for record in group) > 1
        for record in group:
            if unclear or age(record) != first:
                issue = submissions.duplicate_issue(identity, origin_unclear=unclear)
                duplicates.setdefault(record.path, issue)
    return duplicates


def _first_commits(folder: Path) -> dict[Path, int]:
    """The number of the commit that added each file of the folder, oldest first; {} without git."""
    log = ("log", "--reverse", "--diff-filter=A", "--name-only", "--format=%x01", "-z")
    try:
        top, names = (
            subprocess.run(
                ["git", "-C", str(folder), *command], capture_output=True, check=True, timeout=120
            ).stdout.decode()
            for command in (("rev-parse", "--show-toplevel"), (*log, "--", "."))
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    numbers: dict[Path, int] = {}
    number = 0
    for name in names.split("\0"):
        if name == "\x01":  # one commit
            number += 1
        elif name:
            numbers.setdefault(Path(top.strip()) / name.lstrip("\n"), number)
    return numbers

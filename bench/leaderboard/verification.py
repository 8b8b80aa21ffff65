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
from copy import copy
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from bench.leaderboard import submissions
from bench.leaderboard.validation import ValidationIssue, refusals, unreadable, validate_bytes
from bench.results import storage
from bench.results.formatting import printable
from bench.results.record import Result

T = TypeVar("T")

# Records per task of a process: large enough that the cost of starting a task is negligible.
BATCH_SIZE = 250
# The author of a commit may give a name of any length.
MAX_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """An accepted result with its validation issues.

    `submitted_by` is the author of the commit that added the file, None where no history shows it.
    """

    result: Result
    issues: tuple[ValidationIssue, ...]
    id: str
    submitted_by: str | None


class Addition(NamedTuple):
    """The commit that added a file: its number in the history, oldest first, and its author."""

    number: int
    author: str | None


NOT_COMMITTED = Addition(sys.maxsize, None)
Additions = dict[Path, Addition]
Transform = Callable[[Submission], T]
IssuesByFile = dict[Path, tuple[ValidationIssue, ...]]


@dataclass
class VerificationResult(Generic[T]):
    """The accepted submissions, transformed, and the issues of the others by file."""

    accepted: list[T] = field(default_factory=list)
    refused: IssuesByFile = field(default_factory=dict)


class _CheckedRecord(NamedTuple, Generic[T]):
    """One record file after validation; `accepted` is None where it is refused."""

    path: Path
    created_at: str
    identities: tuple[str, ...]
    accepted: T | None
    issues: tuple[ValidationIssue, ...]


def verify_folder(folder: Path, transform: Transform[T]) -> VerificationResult[T]:
    """Validate every file of a folder of submissions; `transform` is applied to each accepted one.

    With many files `transform` runs in other processes: it and what it returns must be picklable.
    """
    paths, misplaced = submissions.list_records(folder)
    result: VerificationResult[T] = VerificationResult(refused=misplaced)
    additions = _additions(folder)
    # 100,000 rows are millions of objects without cycles: with 5,000 submissions, collections that
    # find nothing took half of the time of the receiving process.
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        records = list(_check_all(paths, additions, transform))
    finally:
        if was_enabled:
            gc.enable()
    duplicates = _duplicates(additions, records)
    for record in records:
        if record.accepted is None:
            result.refused[record.path] = record.issues
        elif record.path in duplicates:
            result.refused[record.path] = (duplicates[record.path],)
        else:
            result.accepted.append(record.accepted)
    return result


def collect_submissions(folder: Path) -> VerificationResult[Submission]:
    """Validate every submission and return those accepted, for folders that fit in memory."""
    return verify_folder(folder, copy)


def _check_all(
    paths: Sequence[Path], additions: Additions, transform: Transform[T]
) -> Iterator[_CheckedRecord[T]]:
    check = partial(_check, transform=transform)
    authors = [additions.get(path, NOT_COMMITTED).author for path in paths]
    # Starting processes takes about as long as two batches.
    if len(paths) <= 2 * BATCH_SIZE or (os.cpu_count() or 1) < 2:
        yield from map(check, paths, authors)
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(check, paths, authors, chunksize=BATCH_SIZE)


def _check(path: Path, author: str | None, transform: Transform[T]) -> _CheckedRecord[T]:
    try:
        content = storage.read_bytes(path)
    except storage.UnreadableRecord as error:
        return _refused(path, unreadable(error).issues)
    report = validate_bytes(content, path.name)
    result = report.result
    if result is None or report.refusals:
        return _refused(path, report.issues)
    if path.parts[-2:] != (result.task.id, f"{storage.content_id(content)}.json"):
        message = "Misplaced: the file name does not match the content: it was moved or edited."
        return _refused(path, refusals("misplaced", [message]))
    accepted = transform(Submission(result, report.issues, path.stem, author))
    return _CheckedRecord(path, result.created_at, submissions.identities(result), accepted, ())


def _refused(path: Path, issues: Iterable[ValidationIssue]) -> _CheckedRecord[T]:
    return _CheckedRecord(path, "", (), None, tuple(issues))


def _duplicates(
    additions: Additions, records: Sequence[_CheckedRecord[T]]
) -> dict[Path, ValidationIssue]:
    """The refusal of every record that shares a run id or its trials with another that was first.

    First is the record whose file was committed first in the folder's git repository: a file that
    is not committed comes after all that are. Without its history, or within one commit, the
    record with the older `created_at` is first. Where that is equal too, nothing in the files shows
    which is the copy, and all of them are refused: a rule such as the lower id could be met by a
    copier who changes a field until the id fits. The honest submitter is thus protected by the
    history of the repository, and never loses a place to a copy without a message.
    """
    by_identity: dict[str, list[_CheckedRecord[T]]] = defaultdict(list)
    for record in records:
        for identity in record.identities:
            by_identity[identity].append(record)

    def age(record: _CheckedRecord[T]) -> tuple[int, str]:
        return additions.get(record.path, NOT_COMMITTED).number, record.created_at

    duplicates: dict[Path, ValidationIssue] = {}
    for identity, group in by_identity.items():
        first = min(age(record) for record in group)
        unclear = sum(age(record) == first for record in group) > 1
        for record in group:
            if unclear or age(record) != first:
                issue = submissions.duplicate_issue(identity, origin_unclear=unclear)
                duplicates.setdefault(record.path, issue)
    return duplicates


def _additions(folder: Path) -> Additions:
    """The commit that added each file of the folder; {} without git.

    In a shallow clone all older files seem to come from its first commit, so no author is stated.
    No name in a file or a commit can pass for another, and no configuration of the repository,
    which may come with the files, makes git run a program or change its output.
    """
    log = ["log", "--reverse", "--diff-filter=A", "--no-renames", "--raw", "--relative", "-z"]
    try:
        complete = _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"false"
        log_text = _git(folder, *log, "--encoding=UTF-8", "--format=%x01%an", "--", ".")
    except (OSError, subprocess.SubprocessError):
        return {}
    additions: Additions = {}
    number = 0
    author: str | None = None
    entries = iter(log_text.split(b"\0"))
    for entry in entries:
        if entry.startswith(b"\x01"):  # a commit
            number += 1
            name = printable(entry[1:].decode(errors="replace"))[:MAX_NAME_LENGTH]
            author = name if name and complete else None
        elif entry:  # the modes of an added file; the next entry is its name
            path = folder / os.fsdecode(next(entries, b""))
            additions.setdefault(path, Addition(number, author))
    return additions


def _git(folder: Path, *words: str) -> bytes:
    # A more specific setting in the repository overrides `protocol.allow`, but not the variable.
    environment = {"GIT_ALLOW_PROTOCOL": "", "GIT_NO_LAZY_FETCH": "1", "GIT_CONFIG_NOSYSTEM": "1"}
    settings = ("core.fsmonitor=false", "core.hooksPath=/dev/null", "log.showSignature=false")
    options = [word for setting in (*settings, "log.follow=false") for word in ("-c", setting)]
    return subprocess.run(
        ["git", "-C", str(folder), "--no-optional-locks", *options, *words],
        capture_output=True,
        check=True,
        timeout=120,
        env=os.environ | environment,
    ).stdout

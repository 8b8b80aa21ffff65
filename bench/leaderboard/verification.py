"""Every submission judged again, from its raw trials, on as many processors as there are.

What is wanted of each result is worked out beside the judging, so that a hundred thousand of them
are never in memory at once.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

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
BATCH = 250


@dataclass(frozen=True, slots=True)
class Submission:
    """A result that passed, with what lies beside it."""

    result: Result
    findings: tuple[ValidationIssue, ...]
    id: str
    note: submissions.SubmissionNote | None
    signer: str | None


def has_rank(submission: Submission) -> bool:
    """To keep whether each may be ranked."""
    return not any(item.severity == "no-rank" for item in submission.findings)


Keep = Callable[[Submission], T]
Refusals = dict[Path, tuple[ValidationIssue, ...]]


@dataclass
class VerificationResult(Generic[T]):
    """What was kept of each submission that passed, and why the others did not, by file.

    `remarks` are findings that leave a submission where it is.
    """

    kept: list[T] = field(default_factory=list)
    refused: Refusals = field(default_factory=dict)
    remarks: Refusals = field(default_factory=dict)


@dataclass(frozen=True)
class VerifiedResults:
    """The results that passed, whole, and the reasons why the others did not, by file."""

    results: list[Result]
    refused: dict[Path, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class _JudgedRecord(Generic[T]):
    """One record, judged: `kept` is None where it is refused."""

    path: Path
    created_at: str
    marks: tuple[str, ...]
    kept: T | None
    refused: Refusals
    remarks: tuple[ValidationIssue, ...]


def verify_folder(folder: Path, keep: Keep[T]) -> VerificationResult[T]:
    """Judge every file of a folder of submissions; `keep` works on each that passes.

    With many files `keep` runs in other processes, so it and what it gives must be picklable.
    """
    paths, strange = submissions.list_records(folder)
    found: VerificationResult[T] = VerificationResult(refused=strange)
    seen: set[str] = set()
    listed = list(_judged(paths, keep))
    late = _later(folder, listed)
    for item in sorted(listed, key=lambda item: late.get(item.path, 0)):
        found.refused |= item.refused
        if item.kept is None:
            continue
        shared = next((mark for mark in item.marks if mark in seen), None)
        if shared is not None:
            found.refused[item.path] = (submissions.duplicate(shared),)
            continue
        seen |= set(item.marks)
        found.kept.append(item.kept)
        if item.remarks:
            found.remarks[item.path] = item.remarks
    return found


def collect_results(folder: Path) -> VerifiedResults:
    """Judge every submission and keep the results themselves: for boards that fit in memory."""
    found = verify_folder(folder, _result)
    told = {path: tuple(item.message for item in why) for path, why in found.refused.items()}
    return VerifiedResults(found.kept, told)


def _result(submission: Submission) -> Result:
    return submission.result


def _judged(paths: Sequence[Path], keep: Keep[T]) -> Iterator[_JudgedRecord[T]]:
    batches = [paths[start : start + BATCH] for start in range(0, len(paths), BATCH)]
    work = partial(_batch, keep=keep)
    if len(batches) < 3 or (os.cpu_count() or 1) < 2:
        for batch in batches:
            yield from work(batch)
        return
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(work, batches):
            yield from part


def _batch(paths: Sequence[Path], keep: Keep[T]) -> list[_JudgedRecord[T]]:
    return [_judge(path, keep) for path in paths]


def _judge(path: Path, keep: Keep[T]) -> _JudgedRecord[T]:
    try:
        content = storage.read_bytes(path)
    except storage.UnreadableRecord as error:
        return _refused(path, unreadable(error).findings)
    verdict = validate_bytes(content, path.name)
    result, why = verdict.result, [f for f in verdict.findings if f.severity == "refused"]
    if result is None or why:
        return _refused(path, tuple(why))
    if path.parts[-2:] != (result.task.id, f"{storage.content_id(content)}.json"):
        sentence = "Misplaced: the file's name is not that of its content: it was moved or edited."
        return _refused(path, tuple(refusals("misplaced", [sentence])))
    try:
        who, remarks = _signer(path, content)
    except ValueError as error:
        return _refused(path, tuple(refusals("signature", [str(error)])))
    said, beside = _note(path)
    kept = keep(Submission(result, verdict.findings, path.stem, said, who))
    marks = submissions.identity_marks(result)
    return _JudgedRecord(path, result.created_at, marks, kept, beside, remarks)


def _refused(path: Path, why: tuple[ValidationIssue, ...]) -> _JudgedRecord[T]:
    return _JudgedRecord(path, "", (), None, {path: why}, ())


def _signer(path: Path, content: bytes) -> tuple[str | None, tuple[ValidationIssue, ...]]:
    """Who signed a file, and what to say of a signature that nobody vouches for."""
    lies = signatures.signature_path(path)
    if not _plain(lies):
        return None, ()
    try:
        who = signatures.signer(content, lies, path.parents[1] / signatures.SIGNERS)
    except signatures.SshKeygenMissing as error:
        return None, (
            ValidationIssue("note", "signature-unchecked", f"{error}.", REMEDIES["signature"]),
        )
    if who is not None:
        return who, ()
    sentence = "The signature is sound, and its key is not among the allowed signers."
    return None, (ValidationIssue("note", "unknown-signer", sentence, REMEDIES["unknown-signer"]),)


def _plain(path: Path) -> bool:
    """Whether there is a file here; a link is none."""
    return path.is_file() and not path.is_symlink()


def _note(record: Path) -> tuple[submissions.SubmissionNote | None, Refusals]:
    """The note beside a record; one that is broken or falsely signed is left out, and says why."""
    path = submissions.note_path(record)
    if not _plain(path):
        return None, {}
    try:
        said = submissions.read_note(path)
        _signer(path, path.read_bytes())
    except storage.UnreadableRecord as error:
        return None, {path: unreadable(error).findings}
    except ValueError as error:
        return None, {path: tuple(refusals("signature", [str(error)]))}
    return said, {}


def _later(folder: Path, listed: Sequence[_JudgedRecord[T]]) -> dict[Path, int]:
    """In which order twins came, where there are any: as git saw them, else by their date."""
    owner: dict[str, Path] = {}
    twins: set[Path] = set()
    for item in listed:
        for mark in item.marks:
            first = owner.setdefault(mark, item.path)
            if first != item.path:
                twins |= {first, item.path}
    if not twins:
        return {}
    added = _added(folder)
    dates = {item.path: item.created_at for item in listed if item.path in twins}
    order = sorted(twins, key=lambda p: (added.get(p.resolve(), len(added)), dates[p], p))
    return {path: place for place, path in enumerate(order)}


def _added(folder: Path) -> dict[Path, int]:
    """The place of each file of the folder in the history of its git repository, oldest first."""
    log = ("log", "--reverse", "--diff-filter=A", "--name-only", "--format=", "-z", "--", ".")
    try:
        top, names = (
            subprocess.run(
                ["git", "-C", str(folder), *command], capture_output=True, check=True, timeout=120
            ).stdout.decode()
            for command in (("rev-parse", "--show-toplevel"), log)
        )
    except (OSError, subprocess.SubprocessError):
        return {}
    found: dict[Path, int] = {}
    for name in filter(None, names.split("\0")):
        found.setdefault(Path(top.strip()) / name.strip(), len(found))
    return found

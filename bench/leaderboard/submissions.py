"""The folder of submissions: its layout, duplicates, and adding a submission."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.leaderboard.validation import ValidationIssue, refusals, validate_file
from bench.results import storage
from bench.results.record import Result
from bench.results.storage import canonical_json, content_id

RECORD_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*/[0-9a-f]{16}\.json")


class SubmissionRefused(ValueError):
    """A submission that was refused; `issues` state why."""

    def __init__(self, issues: Iterable[ValidationIssue]) -> None:
        self.issues = tuple(issues)
        super().__init__(" ".join(issue.message for issue in self.issues))


def submit(path: Path, folder: Path) -> tuple[Path, tuple[ValidationIssue, ...]]:
    """Validate a result file and add it to the submissions; returns the new path and all issues.

    Raises SubmissionRefused with every reason if the result is refused, OSError where the folder
    cannot be written.
    """
    report = validate_file(path)
    if report.result is None or report.refusals:
        raise SubmissionRefused(report.issues)
    if issues := list(duplicates(report.result, folder)):
        raise SubmissionRefused(issues)
    target = folder / report.result.task.id / f"{content_id(report.result)}.json"
    storage.write_text(target, canonical_json(report.result))
    return target, report.issues


def list_records(folder: Path) -> tuple[list[Path], dict[Path, tuple[ValidationIssue, ...]]]:
    """The record files of a folder in order, and whatever else is in it with the reason.

    A folder inside the folder of a task is refused as a whole and not read.
    """
    records: list[Path] = []
    misplaced: dict[Path, tuple[ValidationIssue, ...]] = {}
    top = sorted(folder.iterdir()) if folder.is_dir() else []
    tasks = [path for path in top if path.is_dir() and not path.is_symlink()]
    for path in (*top, *(path for task in tasks for path in sorted(task.iterdir()))):
        reason, in_task = None, path.parent != folder
        if path.is_symlink():
            reason = "a submission must be a file, not a link"
        elif in_task and path.is_dir():
            reason = "submissions are one folder deep"
        elif in_task and not RECORD_NAME.fullmatch(f"{path.parent.name}/{path.name}"):
            reason = "its name is not <task>/<id>.json"
        elif not in_task and not path.is_dir() and path.name != "README.md":
            reason = "a submission must be in the folder of its task"
        if reason is not None:
            misplaced[path] = tuple(refusals("misplaced", [f"Misplaced: {reason}."]))
        elif in_task:
            records.append(path)
    return records, misplaced


def identities(result: Result) -> tuple[str, ...]:
    """Texts that no two submissions share: the run id, and a hash of the measured trials."""
    trials = [
        (trial.duration_seconds, [(r.domain, r.energy_joules) for r in trial.readings])
        for trial in result.measured()
    ]
    hashed = f"trials {hashlib.sha256(repr(trials).encode()).hexdigest()}"
    return (f"run {result.run_id}", hashed)[: 2 if trials else 1]


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

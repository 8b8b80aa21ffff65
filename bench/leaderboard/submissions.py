"""The folder of submissions: its layout, duplicates, and adding a submission."""

from __future__ import annotations

import hashlib
import os
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
        known = path.name == "README.md"
        return None if known else "a submission must be in the folder of its task"
    return "its name is not <task>/<id>.json"


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

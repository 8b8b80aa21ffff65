"""A submission as the board keeps it: what ranks it, and its row in each form, ready to write.

A hundred thousand results as records would fill a memory; as text they take a fraction, and the
text is made where the result is judged, on every processor at once.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass

from bench.leaderboard import table
from bench.leaderboard.check import accepted
from bench.leaderboard.row import facts
from bench.leaderboard.ties import Mark
from bench.leaderboard.verify import Submission, has_rank
from bench.pages import detail, line
from bench.results import storage, warning_rules
from bench.results.calibration import calibration_half_width, instrument_id
from bench.results.record import Result
from bench.results.views import boundary_label, device_label, headline_energy


@dataclass(frozen=True, slots=True, order=True)
class Equals:
    """What results share that are ranked together. The data set follows from the fingerprint."""

    dataset: str
    boundary: str
    devices: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One result on the board; `equals` and `mark` are None where it is listed only."""

    id: str
    task_id: str
    unit: str
    order: tuple[float, str, str]
    equals: Equals | None
    mark: Mark | None
    span: tuple[float, float, float] | None
    created_at: str
    row: str
    cells: str
    line: str
    detail: str


def entry(submission: Submission) -> Entry:
    """The entry of a submission that passed."""
    result, found = submission.result, headline_energy(submission.result)
    ranks = has_rank(submission)
    row = facts(submission)
    return Entry(
        id=submission.id,
        task_id=result.task.id,
        unit=result.task.unit,
        order=(math.inf if found is None else found.value, result.model.id, result.run_id),
        equals=_equals(result) if ranks else None,
        mark=mark(result) if ranks else None,
        span=None if found is None else (found.value, found.low, found.high),
        created_at=result.created_at,
        row=json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        cells=table.cells(result.task.unit, row),
        line=line.line(submission.id, row),
        detail=detail.detail(result, row, _instrument_words(result)),
    )


def of(results: Iterable[Result]) -> list[Entry]:
    """The entries of results that are at hand, as if each were a submission."""
    found = []
    for result in results:
        findings = accepted(result, warning_rules.derive_warnings(result))
        name = storage.content_id(result)
        found.append(entry(Submission(result, findings, name, None, None)))
    return found


def mark(result: Result) -> Mark:
    """What ranks a result. Raises ValueError where it has no positive energy."""
    found = headline_energy(result)
    if found is None or found.value <= 0:
        raise ValueError("only a positive energy can be ranked")
    width = (found.high - found.low) / 2 / found.value
    return Mark(math.log(found.value), width, calibration_half_width(result), instrument_id(result))


def _equals(result: Result) -> Equals:
    # Every device once for each domain: two cards are not the equals of one.
    devices = sorted(device_label(result, domain) for domain in result.boundary.domains)
    return Equals(
        dataset=result.task.dataset,
        boundary=boundary_label(result),
        devices=tuple(devices),
        fingerprint=result.task.fingerprint or "",
    )


def _instrument_words(result: Result) -> str | None:
    """The same short text for two results whose scale error is common; it names no card."""
    found = instrument_id(result)
    if found is None:
        return None
    cards, host = found
    return hashlib.sha256(repr((sorted(cards), host)).encode()).hexdigest()[:12]

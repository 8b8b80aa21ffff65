"""`BoardEntry`: what ranking needs of one result, its row, and its details as compact text."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

from pydantic_core import to_json

from bench.leaderboard.board_row import BoardRow, make_row
from bench.leaderboard.verification import Submission
from bench.results import statistics
from bench.results.calibration import Instrument, calibration_half_width, instrument_id
from bench.results.record import PowerTrace, Result, Trial
from bench.results.views import device_label, headline_energy
from bench.runner.repeat_command import repeat_command

# A power trace longer than this is shown as means of equally long stretches: the chart on the
# page is 640 pixels wide.
MAX_TRACE_POINTS = 240

# The parts of a record that its page shows as they are.
DETAILS_FROM_RECORD = (
    *("run_id", "created_at", "joulebench_version", "profile", "stop_reason", "task", "model"),
    *("backend", "machine", "protocol", "boundary", "calibration"),
)


class GroupKey(NamedTuple):
    """Results with the same key are ranked together. The data set follows from the fingerprint.

    `devices` holds one label per domain of the boundary, so that two cards differ from one.
    """

    dataset: str
    boundary: str
    devices: tuple[str, ...]
    fingerprint: str


class RankingKey(NamedTuple):
    """The figures by which a result is compared with the others of its group.

    `log_energy` is the natural logarithm of kWh per 1,000 inferences. `half_width` and
    `calibration` are relative half-widths: of the 95 % interval with variation between runs, and of
    the calibration.
    """

    log_energy: float
    half_width: float
    calibration: float
    instrument: Instrument | None


class BoardEntry(NamedTuple):
    """One result on the board, small enough that 100,000 of them fit into memory.

    `group` and `ranking_key` are None where the result is listed without rank. `details` is the
    JSON that the result's page needs besides the row.
    """

    sort_key: tuple[float, str, str]
    group: GroupKey | None
    ranking_key: RankingKey | None
    row: BoardRow
    details: str


def make_entry(submission: Submission) -> BoardEntry:
    """The entry of a submission that passed validation."""
    result, energy = submission.result, headline_energy(submission.result)
    row = make_row(submission)
    ranks = not row.why_not_ranked
    return BoardEntry(
        sort_key=(energy.value if energy else math.inf, result.model.id, result.run_id),
        group=_group_key(result, row) if ranks else None,
        ranking_key=make_ranking_key(result) if ranks else None,
        row=row,
        details=_details(result, row),
    )


def make_ranking_key(result: Result) -> RankingKey:
    """The ranking key of a result. Raises ValueError where it has no positive energy."""
    energy = headline_energy(result)
    if energy is None or energy.value <= 0:
        raise ValueError("only a positive energy can be ranked")
    half_width = math.hypot(
        statistics.relative_half_width(energy) or 0.0, statistics.between_runs(result.summary)
    )
    return RankingKey(
        math.log(energy.value), half_width, calibration_half_width(result), instrument_id(result)
    )


def _group_key(result: Result, row: BoardRow) -> GroupKey:
    return GroupKey(
        dataset=row.dataset,
        boundary=row.boundary,
        devices=tuple(sorted(device_label(result, domain) for domain in result.boundary.domains)),
        fingerprint=result.task.fingerprint or "",
    )


def _details(result: Result, row: BoardRow) -> str:
    """The data of a result's page that its row does not hold, as JSON.

    `instrument` is the same text for two results whose calibration error is common, and missing
    where nothing identifies the instrument. `idle` holds [phase, domain, watts], `power` [domain,
    seconds, watts], `trials` [phase, seconds, inferences, failures, [[domain, joules, method] …]].
    """
    details = {
        "why_not_ranked": row.why_not_ranked,
        "warnings": row.warnings,
        "submitted_by": row.submitted_by,
        "instrument": _instrument_hash(result),
        "command": repeat_command(result),
        "idle": [
            (floor.when, r.domain, _watts(r.energy_joules, r.duration_seconds))
            for floor in result.idle
            for r in floor.readings
        ],
        "trials": [_trial(trial) for trial in result.trials],
        "power": [
            (trace.domain, *_thinned(trace))
            for trial in result.trials
            if trial.phase == "profile"
            for trace in trial.power_trace
        ],
        **{name: getattr(result, name) for name in DETAILS_FROM_RECORD},
    }
    present = {name: value for name, value in details.items() if value is not None}
    return to_json(present, exclude_none=True).decode()


def _instrument_hash(result: Result) -> str | None:
    """Identifies the instrument without publishing the cards' UUIDs."""
    instrument = instrument_id(result)
    if instrument is None:
        return None
    cards, host = instrument
    return hashlib.sha256(repr((sorted(cards), host)).encode()).hexdigest()[:12]


def _trial(trial: Trial) -> list[Any]:
    readings = [
        [r.domain, None if r.energy_joules is None else six_digits(r.energy_joules), r.method]
        for r in trial.readings
    ]
    work, seconds = trial.work, six_digits(trial.duration_seconds)
    return [trial.phase, seconds, work.inference_count, work.failure_count, readings]


def _thinned(trace: PowerTrace) -> tuple[list[float], list[float]]:
    """Seconds and watts of a trace, averaged to at most `MAX_TRACE_POINTS` points."""
    step = max(1, math.ceil(min(len(trace.seconds), len(trace.watts)) / MAX_TRACE_POINTS))
    return _means(trace.seconds, step), _means(trace.watts, step)


def _means(values: Sequence[float], step: int) -> list[float]:
    parts = (values[start : start + step] for start in range(0, len(values), step))
    return [six_digits(math.fsum(part) / len(part)) for part in parts]


def _watts(joules: float | None, seconds: float) -> float | None:
    return None if joules is None or seconds <= 0 else six_digits(joules / seconds)


def six_digits(value: float) -> float:
    """A number rounded to six significant digits: more than any figure on a page shows."""
    return float(f"{value:.6g}")

"""Compact text of a row, ranking key, data of the result page."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.leaderboard import board_row
from bench.leaderboard.board_row import make_row
from bench.leaderboard.validation import ranking_issues
from bench.leaderboard.verification import Submission, has_rank
from bench.results import storage, warning_rules
from bench.results.calibration import Instrument, calibration_half_width, instrument_id
from bench.results.record import PowerTrace, Result
from bench.results.views import boundary_label, device_label, headline_energy
from bench.runner import repeat_command


@dataclass(frozen=True, slots=True, order=True)
class GroupKey:
    """What results share that are ranked together. The data set follows from the fingerprint."""

    dataset: str
    boundary: str
    devices: tuple[str, ...]
    fingerprint: str


@dataclass(frozen=True, slots=True)
class RankingKey:
    """What ranking needs of a result, worked out once: it is compared with all its equals."""

    log_energy: float
    half_width: float
    calibration: float
    instrument: Instrument | None


@dataclass(frozen=True, slots=True)
class BoardEntry:
    """One result on the board; `equals` and `mark` are None where it is listed only."""

    id: str
    task_id: str
    unit: str
    order: tuple[float, str, str]
    equals: GroupKey | None
    mark: RankingKey | None
    span: tuple[float, float, float] | None
    created_at: str
    row: str
    cells: str
    line: str
    detail: str


def make_entry(submission: Submission) -> BoardEntry:
    """The entry of a submission that passed."""
    result, found = submission.result, headline_energy(submission.result)
    ranks = has_rank(submission)
    row = make_row(submission)
    return BoardEntry(
        id=submission.id,
        task_id=result.task.id,
        unit=result.task.unit,
        order=(math.inf if found is None else found.value, result.model.id, result.run_id),
        equals=_equals(result) if ranks else None,
        mark=ranking_key(result) if ranks else None,
        span=None if found is None else (found.value, found.low, found.high),
        created_at=result.created_at,
        row=json.dumps(row, ensure_ascii=False, allow_nan=False, separators=(",", ":")),
        cells=board_row.cells(result.task.unit, row),
        line=site_row(submission.id, row),
        detail=result_details(result, row, _instrument_words(result)),
    )


def entries_of(results: Iterable[Result]) -> list[BoardEntry]:
    """The entries of results that are at hand, as if each were a submission."""
    found = []
    for result in results:
        findings = ranking_issues(result, warning_rules.derive_warnings(result))
        name = storage.content_id(result)
        found.append(make_entry(Submission(result, findings, name, None, None)))
    return found


def ranking_key(result: Result) -> RankingKey:
    """What ranks a result. Raises ValueError where it has no positive energy."""
    found = headline_energy(result)
    if found is None or found.value <= 0:
        raise ValueError("only a positive energy can be ranked")
    width = (found.high - found.low) / 2 / found.value
    return RankingKey(
        math.log(found.value), width, calibration_half_width(result), instrument_id(result)
    )


def _equals(result: Result) -> GroupKey:
    # Every device once for each domain: two cards are not the equals of one.
    devices = sorted(device_label(result, domain) for domain in result.boundary.domains)
    return GroupKey(
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


POINTS = 240
ABOUT = {
    "run_id": True,
    "created_at": True,
    "joulebench_version": True,
    "profile": True,
    "stop_reason": True,
    "failure": True,
    "task": True,
    "model": True,
    "backend": True,
    "machine": True,
    "protocol": True,
    "boundary": True,
    "calibration": True,
}


def result_details(result: Result, row: Mapping[str, Any], instrument: str | None) -> str:
    """The detail of a result as JSON. `row` is its `leaderboard.form.Facts`.

    `instrument` is the same text for two results whose scale error is common, and None where
    nothing tells that.
    """
    about = result.model_dump_json(include=ABOUT, exclude_none=True)
    more = {
        "why": row["why"],
        "warnings": [
            [warning["blocks_ranking"], warning["message"], warning["remedy"]]
            for warning in row["warnings"]
        ],
        "by": row["submitted_by"],
        "instrument": instrument,
        "command": repeat_command.repeat_command(result),
        "idle": [
            [floor.when, reading.domain, _watts(reading.energy_joules, reading.duration_seconds)]
            for floor in result.idle
            for reading in floor.readings
        ],
        "trials": list(_trials(result)),
        "power": [
            [trace.domain, *_thinned(trace)]
            for trial in result.trials
            if trial.phase == "profile"
            for trace in trial.power_trace
        ],
    }
    return f"{text(more)[:-1]},{about[1:]}"


def _trials(result: Result) -> Iterator[list[Any]]:
    """[phase, seconds, inferences, failures, [[domain, joules, method] …]] for every trial."""
    for trial in result.trials:
        readings = [
            [r.domain, None if r.energy_joules is None else short(r.energy_joules), r.method]
            for r in trial.readings
        ]
        work = trial.work
        seconds = short(trial.duration_seconds)
        yield [trial.phase, seconds, work.inference_count, work.failure_count, readings]


def _thinned(trace: PowerTrace) -> tuple[list[float], list[float]]:
    """Seconds and watts of a trace, as means over stretches where there are many points."""
    step = max(1, math.ceil(min(len(trace.seconds), len(trace.watts)) / POINTS))
    return _means(trace.seconds, step), _means(trace.watts, step)


def _means(values: Sequence[float], step: int) -> list[float]:
    parts = (values[start : start + step] for start in range(0, len(values), step))
    return [short(math.fsum(part) / len(part)) for part in parts]


def _watts(joules: float | None, seconds: float) -> float | None:
    return None if joules is None or seconds <= 0 else short(joules / seconds)


# Where a result stands among its equals comes first, then what `line` gives.
PLACE = ("n", "group", "rank", "tied", "grade", "stars")
FACTS = (
    "id",
    "model",
    "parameters",
    "dtype",
    "backend",
    "batch",
    "steps",
    "weights",
    "profile",
    "status",
    "kind",
    "dataset",
    "device",
    "boundary",
    "energy",
    "calibration",
    "net",
    "joules",
    "seconds",
    "quality",
    "metric",
    "better",
    "created",
    "warnings",
    "barred",
    "why",
    "by",
)
FIELDS = (*PLACE, *FACTS)
TOLD = {"energy-modelled", "random-weights", "quick-run", "interrupted", "failed"}


def site_row(name: str, row: Mapping[str, Any]) -> str:
    """The facts of a row (`leaderboard.form.Facts`) as a JSON array, in the order of `FACTS`."""
    model, quality = row["model"], row["quality"]
    barring = [warning["code"] for warning in row["warnings"] if warning["blocks_ranking"]]
    values = (
        name,
        model["id"],
        model["parameter_count"],
        model["dtype"],
        row["backend"],
        row["batch_size"],
        row["steps"],
        model["weights"],
        row["profile"],
        row["status"],
        row["kind"],
        row["dataset"],
        ", ".join(row["devices"]),
        row["boundary"],
        _ends(row["energy_kwh_per_1000"]),
        row["calibration_relative_half_width"],
        _ends(row["net_energy_kwh_per_1000"]),
        _ends(row["energy_joules_per_unit"]),
        _ends(row["duration_seconds_per_inference"]),
        _ends(quality),
        quality and quality["metric"],
        quality and quality["better"],
        row["created_at"][:10],
        len(row["warnings"]),
        [code for code in barring if code not in TOLD],
        row["why"][0][:300] if row["status"] == "failed" and row["why"] else None,
        row["submitted_by"]["name"],
    )
    return text(values)


def text(value: object) -> str:
    """JSON without spaces, in which no line of a script can end early."""
    return json.dumps(value, allow_nan=False, separators=(",", ":"))


def short(value: float) -> float:
    """A number with six digits: more than any figure on a page shows."""
    return float(f"{value:.6g}")


def _ends(found: Mapping[str, float] | None) -> list[float] | None:
    return None if found is None else [short(found[end]) for end in ("value", "low", "high")]

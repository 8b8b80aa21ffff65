"""What the page of one result shows beyond its row: trials, power, doubts, environment."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bench.pages.line import short, text
from bench.results.record import PowerTrace, Result
from bench.runner import repeat_command

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
    "gain": True,
}


def detail(result: Result, row: Mapping[str, Any], instrument: str | None) -> str:
    """The detail of a result as JSON. `row` is its `leaderboard.form.Facts`.

    `instrument` is the same text for two results whose scale error is common, and None where
    nothing tells that.
    """
    about = result.model_dump_json(include=ABOUT, exclude_none=True)
    more = {
        "why": row["why"],
        "doubts": [
            [doubt["bars_ranking"], doubt["message"], doubt["cure"]] for doubt in row["doubts"]
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

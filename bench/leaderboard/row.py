"""What a board says of one result, whatever stands beside it."""

from __future__ import annotations

from functools import cache
from typing import Literal

from bench.impact import carbon, equivalences
from bench.leaderboard import form
from bench.leaderboard.verify import Submission
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.record import Estimate, Result
from bench.results.views import (
    boundary_label,
    device_labels,
    headline_energy,
    int_setting,
    is_modelled,
)
from bench.system.registry import known_metric

Ends = tuple[float, float]


def facts(submission: Submission) -> form.Facts:
    """The row of a result, without its place among its equals."""
    result, found = submission.result, headline_energy(submission.result)
    summary, model, said = result.summary, result.model, submission.note
    ends = None if found is None else with_calibration(found, calibration_half_width(result))
    return {
        "why": [item.message for item in submission.findings if item.severity == "no-rank"],
        "run_id": result.run_id,
        "submission": f"{result.task.id}/{submission.id}.json",
        "submitted_by": {
            "name": said.name if said else None,
            "note": said.note if said else None,
            "signer": submission.signer,
        },
        "created_at": result.created_at,
        "status": result.status,
        "profile": result.profile,
        "dataset": result.task.dataset,
        "model": {
            "id": model.id,
            "revision": model.revision,
            "weights": model.weights,
            "dtype": model.dtype,
            "parameter_count": model.parameter_count,
        },
        "backend": result.backend.name,
        "batch_size": int_setting(model.settings, "batch_size"),
        "steps": int_setting(result.task.parameters, "steps"),
        "kind": "modelled" if is_modelled(result) else "measured",
        "boundary": boundary_label(result),
        "devices": list(device_labels(result)),
        "energy_kwh_per_1000": _interval(found),
        "energy_with_gain_kwh_per_1000": {"low": ends[0], "high": ends[1]} if ends else None,
        "net_energy_kwh_per_1000": _interval(summary.net_energy_kwh_per_1000 if summary else None),
        "energy_joules_per_unit": _interval(summary.energy_joules_per_unit if summary else None),
        "duration_seconds_per_inference": _interval(
            summary.duration_seconds_per_inference if summary else None
        ),
        "gain_relative_half_width": result.gain.relative_half_width if result.gain else None,
        "quality": _quality(result),
        "phone_charges_per_1000": _charges(found, ends),
        "grams_co2e_per_1000": _grams(found, ends),
        "doubts": [
            {
                "code": item.code,
                "message": item.message,
                "cure": item.cure,
                "bars_ranking": item.severity == "no-rank",
            }
            for item in submission.findings
        ],
    }


def better(result: Result) -> Literal["higher", "lower"]:
    """Which way quality is better, as the metric of the task says; "higher" where it is unknown."""
    metric = known_metric(result.task.id, result.task.dataset)
    return "lower" if metric is not None and metric.BETTER == "lower" else "higher"


def _interval(found: Estimate | None) -> form.Interval | None:
    if found is None:
        return None
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "confidence_level": found.confidence_level,
        "sample_count": found.sample_count,
    }


def _quality(result: Result) -> form.Quality | None:
    found = result.quality
    if found is None:
        return None
    return {
        "metric": found.metric,
        "better": better(result),
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "sample_count": found.sample_count,
    }


def _charges(found: Estimate | None, ends: Ends | None) -> form.Derived | None:
    return _derived(found, ends, _charges_per_kwh()) if found and ends else None


def _grams(found: Estimate | None, ends: Ends | None) -> dict[str, form.Derived] | None:
    if found is None or ends is None:
        return None
    return {key: _derived(found, ends, grams) for key, grams in _grids().items()}


def _derived(found: Estimate, ends: Ends, factor: float) -> form.Derived:
    return {
        "value": found.value * factor,
        "low": found.low * factor,
        "high": found.high * factor,
        "low_with_gain": ends[0] * factor,
        "high_with_gain": ends[1] * factor,
    }


@cache
def _charges_per_kwh() -> float:
    return equivalences.phone_charges(1.0).value


@cache
def _grids() -> dict[str, float]:
    return {key: carbon.co2e_grams(1.0, key).value for key in carbon.SHOWN}

"""All readings of a run as csv: one row a reading, with the columns of its trial and run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bench.reports.exporters import ExportOptions
from bench.reports.exporters._common import RunTotals, csv_bytes, csv_cell, totals_with_energy
from bench.results import views
from bench.results.record import Estimate, Reading, Result, Trial

SUFFIX = ".csv"
WORK = ("inference_count", "failure_count", "input_token_count", "output_token_count")


def export(results: Sequence[Result], options: ExportOptions) -> bytes:
    """One row a reading, warm-up and idle included; trials with `trial_phase` "measured" count."""
    rows = [row for totals in totals_with_energy(results) for row in _rows(totals)]
    cells = [{name: csv_cell(value) for name, value in row.items()} for row in rows]
    return csv_bytes(cells, list(rows[0]))


def _rows(totals: RunTotals) -> Iterator[dict[str, object]]:
    result = totals.result
    for idle in result.idle:
        for reading in idle.readings:
            yield {**_run(totals), **_trial(None, f"idle, {idle.when}"), **_reading(reading)}
    for trial in result.trials:
        for reading in trial.readings:
            yield {**_run(totals), **_trial(trial, trial.phase), **_reading(reading)}


def _run(totals: RunTotals) -> dict[str, object]:
    result, summary = totals.result, totals.result.summary
    quality = result.quality
    return {
        "run_id": result.run_id,
        "created_at": result.created_at,
        "joulebench_version": result.joulebench_version,
        "status": result.status,
        "profile": result.profile,
        "task": result.task.id,
        "task_version": result.task.version,
        "fingerprint": result.task.fingerprint,
        "dataset": result.task.dataset,
        "model": result.model.id,
        "revision": result.model.revision,
        "weights": result.model.weights,
        "dtype": result.model.dtype,
        "parameter_count": result.model.parameter_count,
        "batch_size": views.int_setting(result.model.settings, "batch_size"),
        "backend": result.backend.name,
        "cpu": result.machine.cpu_name,
        "devices": " | ".join(views.device_labels(result)),
        "boundary": " ".join(result.boundary.domains),
        "kind": "modelled, NOT measured" if totals.modelled else "measured",
        "run_energy_kwh": totals.energy_kwh,
        "run_duration_seconds": totals.duration_seconds,
        "run_inference_count": totals.inference_count,
        **_estimate("energy_kwh_per_1000", totals.per_1000),
        **_estimate(
            "net_energy_kwh_per_1000", summary.net_energy_kwh_per_1000 if summary else None
        ),
        "calibration_relative_half_width": result.calibration.relative_half_width
        if result.calibration
        else None,
        "quality_metric": quality.metric if quality else None,
        "quality": quality.value if quality else None,
        "rankable": result.rankable,
        "warnings": " ".join(item.code for item in result.warnings),
    }


def _estimate(name: str, estimate: Estimate | None) -> dict[str, object]:
    ends = ("low", "high")
    return {name: estimate.value if estimate else None} | {
        f"{name}_{end}": getattr(estimate, end) if estimate else None for end in ends
    }


def _trial(trial: Trial | None, phase: str) -> dict[str, object]:
    return {
        "trial_index": trial.index if trial else None,
        "trial_phase": phase,
        "trial_duration_seconds": trial.duration_seconds if trial else None,
        **{name: getattr(trial.work, name) if trial else None for name in WORK},
    }


def _reading(reading: Reading) -> dict[str, object]:
    return {
        "domain": reading.domain,
        "meter": reading.meter,
        "method": reading.method,
        "energy_joules": reading.energy_joules,
        "standard_uncertainty_joules": reading.standard_uncertainty_joules,
        "duration_seconds": reading.duration_seconds,
        "reading_warnings": " ".join(item.code for item in reading.warnings),
    }

"""`BoardRow`: one result on the board. Its fields make the JSON, csv, Markdown and the site."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from pathlib import Path
from typing import Any, Literal

from bench.impact import carbon, equivalences
from bench.leaderboard.verification import Submission
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.record import Estimate, Result
from bench.results.statistics import between_runs
from bench.results.views import (
    boundary_label,
    device_labels,
    headline_energy,
    int_setting,
    is_modelled,
)
from bench.system.registry import known_metric

# Slotted dataclasses: 100,000 rows take 0.5 GB, and are passed between processes without parsing.


@dataclass(slots=True)
class Figure:
    """A value with the ends of its confidence interval over the trials."""

    value: float
    low: float
    high: float
    confidence_level: float
    sample_count: int


@dataclass(slots=True)
class Equivalent:
    """An energy in another unit, with its interval without and with calibration uncertainty."""

    value: float
    low: float
    high: float
    low_with_calibration: float
    high_with_calibration: float


@dataclass(slots=True)
class RowQuality:
    """Quality with its 95 % interval; `better` states whether higher or lower is better."""

    metric: str
    value: float
    low: float
    high: float
    sample_count: int
    better: Literal["higher", "lower"]


@dataclass(slots=True)
class RowModel:
    """Which model was run, and how it was loaded."""

    id: str
    revision: str | None
    weights: Literal["pretrained", "random"]
    dtype: str | None
    parameter_count: int | None


@dataclass(slots=True)
class RowWarning:
    """One thing that a reader should know before trusting a number."""

    code: str
    message: str
    remedy: str
    blocks_ranking: bool


@dataclass(slots=True)
class BoardRow:
    """One result. `rank`, `grade` and `stars` are null where it is listed without rank.

    The rank lies from `rank`, 1 + the number of significantly better results of its group, to
    `last_rank`, the number of results that are not significantly worse.

    `submitted_by` is the author of the commit that added the file, null where none is known.
    """

    rank: int | None
    last_rank: int | None
    grade: str | None
    stars: int | None
    why_not_ranked: list[str]
    task: str
    unit: str
    run_id: str
    submission: str
    submitted_by: str | None
    created_at: str
    status: Literal["done", "failed", "interrupted"]
    profile: Literal["standard", "strict", "quick"]
    dataset: str
    model: RowModel
    backend: str
    batch_size: int | None
    steps: int | None
    kind: Literal["measured", "modelled"]
    boundary: str
    devices: list[str]
    energy_kwh_per_1000: Figure | None
    energy_with_calibration_kwh_per_1000: Figure | None
    net_energy_kwh_per_1000: Figure | None
    energy_joules_per_unit: Figure | None
    duration_seconds_per_inference: Figure | None
    calibration_relative_half_width: float | None
    between_runs_half_width: float | None
    quality: RowQuality | None
    phone_charges_per_1000: Equivalent | None
    grams_co2e_per_1000: dict[str, Equivalent] | None
    warnings: list[RowWarning]


def columns_of(file: str) -> dict[str, list[str]]:
    """The columns of "csv" or "site", each with the path of its value, as ["quality", "low"]."""
    path = Path(__file__).with_name("columns.toml")
    columns: dict[str, str] = tomllib.loads(path.read_text(encoding="utf-8"))[file]
    return {name: place.split(".") for name, place in columns.items()}


def row_values(row: BoardRow, paths: Iterable[Sequence[str]]) -> list[Any]:
    """The values at these paths; None where the row has none."""
    start: Any = row
    return [reduce(lambda part, name: getattr(part, name, None), path, start) for path in paths]


def make_row(submission: Submission) -> BoardRow:
    """The row of a submission, without rank, grade and stars, which depend on the other rows."""
    result, issues = submission.result, submission.issues
    model, summary = result.model, result.summary
    energy = headline_energy(result)
    calibrated = with_calibration(energy, calibration_half_width(result)) if energy else None
    equivalents = _equivalents(energy, calibrated) if energy and calibrated else None
    return BoardRow(
        rank=None,
        last_rank=None,
        grade=None,
        stars=None,
        why_not_ranked=[issue.message for issue in issues if issue.severity == "no-rank"],
        task=result.task.id,
        unit=result.task.unit,
        run_id=result.run_id,
        submission=f"{result.task.id}/{submission.id}.json",
        submitted_by=submission.submitted_by,
        created_at=result.created_at,
        status=result.status,
        profile=result.profile,
        dataset=result.task.dataset,
        model=RowModel(model.id, model.revision, model.weights, model.dtype, model.parameter_count),
        backend=result.backend.name,
        batch_size=int_setting(model.settings, "batch_size"),
        steps=int_setting(result.task.parameters, "steps"),
        kind="modelled" if is_modelled(result) else "measured",
        boundary=boundary_label(result),
        devices=list(device_labels(result)),
        energy_kwh_per_1000=_figure(energy),
        energy_with_calibration_kwh_per_1000=_figure(calibrated),
        # Modelled energy holds no idle power, also where a record of version 1 has a net figure.
        net_energy_kwh_per_1000=_figure(
            summary.net_energy_kwh_per_1000 if summary and not is_modelled(result) else None
        ),
        energy_joules_per_unit=_figure(summary.energy_joules_per_unit if summary else None),
        duration_seconds_per_inference=_figure(
            summary.duration_seconds_per_inference if summary else None
        ),
        calibration_relative_half_width=(
            result.calibration.relative_half_width if result.calibration else None
        ),
        between_runs_half_width=between_runs(summary) if energy else None,
        quality=_quality(result),
        phone_charges_per_1000=equivalents and equivalents(_phone_charges_per_kwh()),
        grams_co2e_per_1000=equivalents
        and {region: equivalents(grams) for region, grams in _grams_per_kwh().items()},
        warnings=[
            RowWarning(issue.code, issue.message, issue.remedy, issue.severity == "no-rank")
            for issue in issues
        ],
    )


def _figure(estimate: Estimate | None) -> Figure | None:
    if estimate is None:
        return None
    ends = (estimate.low, estimate.high)
    return Figure(estimate.value, *ends, estimate.confidence_level, estimate.sample_count)


def _equivalents(energy: Estimate, calibrated: Estimate) -> Callable[[float], Equivalent]:
    """A function that multiplies the energy, with both its intervals, by a factor."""
    figures = (energy.value, energy.low, energy.high, calibrated.low, calibrated.high)
    return lambda factor: Equivalent(*[factor * figure for figure in figures])


def _quality(result: Result) -> RowQuality | None:
    quality = result.quality
    if quality is None:
        return None
    metric = known_metric(result.task.id, result.task.dataset)
    better: Literal["higher", "lower"] = (
        "lower" if metric is not None and metric.BETTER == "lower" else "higher"
    )
    ends = (quality.low, quality.high)
    return RowQuality(quality.metric, quality.value, *ends, quality.sample_count, better)


@cache
def _phone_charges_per_kwh() -> float:
    return equivalences.phone_charges(1.0).value


@cache
def _grams_per_kwh() -> dict[str, float]:
    return {region: carbon.co2e_grams(1.0, region).value for region in carbon.DEFAULT_GRIDS}

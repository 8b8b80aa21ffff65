"""`BoardRow`: one result on the board. Its fields make the JSON, csv, Markdown and the site."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bench.impact import carbon, equivalences
from bench.leaderboard.submissions import SubmissionNote
from bench.leaderboard.verification import Submission
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.record import Estimate, Quality, Result
from bench.results.views import (
    boundary_label,
    device_labels,
    headline_energy,
    int_setting,
    is_modelled,
)
from bench.system.registry import known_metric


class BoardModel(BaseModel):
    """The base of all that leaderboard.json holds: no unknown field, no NaN."""

    model_config = ConfigDict(
        extra="forbid", allow_inf_nan=False, json_schema_serialization_defaults_required=True
    )


class CalibratedEnds(BoardModel):
    """The low and high end of a 95 % interval that includes calibration uncertainty."""

    low: float
    high: float


class Equivalent(BoardModel):
    """An energy in another unit, with its interval without and with calibration uncertainty."""

    value: float
    low: float
    high: float
    low_with_calibration: float
    high_with_calibration: float


class BoardQuality(Quality):
    """Quality with its 95 % interval; `better` states whether higher or lower is better."""

    better: Literal["higher", "lower"]


class RowModel(BoardModel):
    """Which model was run, and how it was loaded."""

    id: str
    revision: str | None
    weights: Literal["pretrained", "random"]
    dtype: str | None
    parameter_count: int | None


class Submitter(BoardModel):
    """The name and note that a submitter gave, and the allowed signer who signed the record."""

    name: str | None
    note: str | None
    signer: str | None


class RowWarning(BoardModel):
    """One thing that a reader should know before trusting a number."""

    code: str
    message: str
    remedy: str
    blocks_ranking: bool


class BoardRow(BoardModel):
    """One result. `rank`, `grade` and `stars` are null where it is listed without rank."""

    rank: int | None = None
    tied: bool = False
    grade: str | None = None
    stars: int | None = None
    why_not_ranked: list[str]
    task: str
    unit: str
    run_id: str
    submission: str
    submitted_by: Submitter
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
    energy_kwh_per_1000: Estimate | None
    energy_with_calibration_kwh_per_1000: CalibratedEnds | None
    net_energy_kwh_per_1000: Estimate | None
    energy_joules_per_unit: Estimate | None
    duration_seconds_per_inference: Estimate | None
    calibration_relative_half_width: float | None
    quality: BoardQuality | None
    phone_charges_per_1000: Equivalent | None
    grams_co2e_per_1000: dict[str, Equivalent] | None
    warnings: list[RowWarning]


def make_row(submission: Submission) -> BoardRow:
    """The row of a submission, without rank, grade and stars, which depend on the other rows."""
    result, issues = submission.result, submission.issues
    energy, summary, model = headline_energy(result), result.summary, result.model
    note = submission.note or SubmissionNote()
    ends = energy and with_calibration(energy, calibration_half_width(result))

    def equivalent(factor: float) -> Equivalent | None:
        """The energy times a factor."""
        if energy is None or ends is None:
            return None
        figures = (energy.value, energy.low, energy.high, ends.low, ends.high)
        names = Equivalent.model_fields
        return Equivalent(**{n: factor * x for n, x in zip(names, figures, strict=True)})

    grams = {region: equivalent(factor) for region, factor in _grams_per_kwh().items()}
    return BoardRow(
        why_not_ranked=[issue.message for issue in issues if issue.severity == "no-rank"],
        task=result.task.id,
        unit=result.task.unit,
        run_id=result.run_id,
        submission=f"{result.task.id}/{submission.id}.json",
        submitted_by=Submitter(name=note.name, note=note.note, signer=submission.signer),
        created_at=result.created_at,
        status=result.status,
        profile=result.profile,
        dataset=result.task.dataset,
        model=RowModel(**{name: getattr(model, name) for name in RowModel.model_fields}),
        backend=result.backend.name,
        batch_size=int_setting(model.settings, "batch_size"),
        steps=int_setting(result.task.parameters, "steps"),
        kind="modelled" if is_modelled(result) else "measured",
        boundary=boundary_label(result),
        devices=list(device_labels(result)),
        energy_kwh_per_1000=energy,
        energy_with_calibration_kwh_per_1000=ends and CalibratedEnds(low=ends.low, high=ends.high),
        net_energy_kwh_per_1000=summary and summary.net_energy_kwh_per_1000,
        energy_joules_per_unit=summary and summary.energy_joules_per_unit,
        duration_seconds_per_inference=summary and summary.duration_seconds_per_inference,
        calibration_relative_half_width=result.calibration
        and result.calibration.relative_half_width,
        quality=_quality(result),
        phone_charges_per_1000=equivalent(_phone_charges_per_kwh()),
        grams_co2e_per_1000={k: v for k, v in grams.items() if v is not None} or None,
        warnings=[
            RowWarning(
                code=issue.code,
                message=issue.message,
                remedy=issue.remedy,
                blocks_ranking=issue.severity == "no-rank",
            )
            for issue in issues
        ],
    )


def _quality(result: Result) -> BoardQuality | None:
    if result.quality is None:
        return None
    metric = known_metric(result.task.id, result.task.dataset)
    lower = metric is not None and metric.BETTER == "lower"
    return BoardQuality(**result.quality.model_dump(), better="lower" if lower else "higher")


@cache
def _phone_charges_per_kwh() -> float:
    return equivalences.phone_charges(1.0).value


@cache
def _grams_per_kwh() -> dict[str, float]:
    return {region: carbon.co2e_grams(1.0, region).value for region in carbon.DEFAULT_GRIDS}

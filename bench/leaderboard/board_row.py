"""`BoardRow`: one result on the board, its schema, its csv cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from functools import cache
from typing import Any, Literal

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

from bench.impact import carbon, equivalences
from bench.leaderboard.grading import RULE, STARS_RULE
from bench.leaderboard.verification import Submission
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.escaping import csv_safe
from bench.results.record import Estimate, Result
from bench.results.views import (
    boundary_label,
    device_labels,
    headline_energy,
    int_setting,
    is_modelled,
)
from bench.system.registry import known_metric

EndsPair = tuple[float, float]


def make_row(submission: Submission) -> Facts:
    """The row of a result, without its place among its equals."""
    result, found = submission.result, headline_energy(submission.result)
    summary, model, said = result.summary, result.model, submission.note
    ends = None if found is None else _calibrated_ends(found, result)
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
        "energy_with_calibration_kwh_per_1000": {"low": ends[0], "high": ends[1]} if ends else None,
        "net_energy_kwh_per_1000": _interval(summary.net_energy_kwh_per_1000 if summary else None),
        "energy_joules_per_unit": _interval(summary.energy_joules_per_unit if summary else None),
        "duration_seconds_per_inference": _interval(
            summary.duration_seconds_per_inference if summary else None
        ),
        "calibration_relative_half_width": result.calibration.relative_half_width
        if result.calibration
        else None,
        "quality": _quality(result),
        "phone_charges_per_1000": _charges(found, ends),
        "grams_co2e_per_1000": _grams(found, ends),
        "warnings": [
            {
                "code": item.code,
                "message": item.message,
                "remedy": item.remedy,
                "blocks_ranking": item.severity == "no-rank",
            }
            for item in submission.findings
        ],
    }


def better(result: Result) -> Literal["higher", "lower"]:
    """Which way quality is better, as the metric of the task says; "higher" where it is unknown."""
    metric = known_metric(result.task.id, result.task.dataset)
    return "lower" if metric is not None and metric.BETTER == "lower" else "higher"


def _calibrated_ends(found: Estimate, result: Result) -> EndsPair:
    wide = with_calibration(found, calibration_half_width(result))
    return wide.low, wide.high


def _interval(found: Estimate | None) -> Interval | None:
    if found is None:
        return None
    return {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "confidence_level": found.confidence_level,
        "sample_count": found.sample_count,
    }


def _quality(result: Result) -> Quality | None:
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


def _charges(found: Estimate | None, ends: EndsPair | None) -> Derived | None:
    return _derived(found, ends, _charges_per_kwh()) if found and ends else None


def _grams(found: Estimate | None, ends: EndsPair | None) -> dict[str, Derived] | None:
    if found is None or ends is None:
        return None
    return {key: _derived(found, ends, grams) for key, grams in _grids().items()}


def _derived(found: Estimate, ends: EndsPair, factor: float) -> Derived:
    return {
        "value": found.value * factor,
        "low": found.low * factor,
        "high": found.high * factor,
        "low_with_calibration": ends[0] * factor,
        "high_with_calibration": ends[1] * factor,
    }


@cache
def _charges_per_kwh() -> float:
    return equivalences.phone_charges(1.0).value


@cache
def _grids() -> dict[str, float]:
    return {key: carbon.co2e_grams(1.0, key).value for key in carbon.DEFAULT_GRIDS}


SCHEMA_VERSION: Literal[2] = 2
CLOSED = ConfigDict(extra="forbid", allow_inf_nan=False)


@with_config(CLOSED)
class Ends(TypedDict):
    """The ends of an interval with the scale error of the instrument in it."""

    low: float
    high: float


@with_config(CLOSED)
class Interval(TypedDict):
    """A figure with its 95 % interval over the trials."""

    value: float
    low: float
    high: float
    confidence_level: float
    sample_count: int


@with_config(CLOSED)
class Quality(TypedDict):
    """How well the model did; `better` says which way is better."""

    metric: str
    better: Literal["higher", "lower"]
    value: float
    low: float
    high: float
    sample_count: int


@with_config(CLOSED)
class Derived(TypedDict):
    """What an energy turns into, with its interval, and with the scale error in it as well."""

    value: float
    low: float
    high: float
    low_with_calibration: float
    high_with_calibration: float


@with_config(CLOSED)
class BoardModel(TypedDict):
    """Which model, and how it was loaded."""

    id: str
    revision: str | None
    weights: Literal["pretrained", "random"]
    dtype: str | None
    parameter_count: int | None


@with_config(CLOSED)
class Submitter(TypedDict):
    """What a submitter says of themselves, and the allowed signer who signed the record."""

    name: str | None
    note: str | None
    signer: str | None


@with_config(CLOSED)
class Warning(TypedDict):
    """One thing to know before trusting a number."""

    code: str
    message: str
    remedy: str
    blocks_ranking: bool


@with_config(CLOSED)
class Placement(TypedDict):
    """Where a result stands among its equals; nothing but `tied: false` where it has no rank."""

    rank: int | None
    tied: bool
    grade: str | None
    stars: int | None


@with_config(CLOSED)
class Facts(TypedDict):
    """Everything on a row that does not depend on the others."""

    why: list[str]
    run_id: str
    submission: str
    submitted_by: Submitter
    created_at: str
    status: Literal["done", "failed", "interrupted"]
    profile: Literal["standard", "strict", "quick"]
    dataset: str
    model: BoardModel
    backend: str
    batch_size: int | None
    steps: int | None
    kind: Literal["measured", "modelled"]
    boundary: str
    devices: list[str]
    energy_kwh_per_1000: Interval | None
    energy_with_calibration_kwh_per_1000: Ends | None
    net_energy_kwh_per_1000: Interval | None
    energy_joules_per_unit: Interval | None
    duration_seconds_per_inference: Interval | None
    calibration_relative_half_width: float | None
    quality: Quality | None
    phone_charges_per_1000: Derived | None
    grams_co2e_per_1000: dict[str, Derived] | None
    warnings: list[Warning]


@with_config(CLOSED)
class BoardRow(Placement, Facts):
    """One result."""


@with_config(CLOSED)
class PhoneCharge(TypedDict):
    """What one smartphone charge takes."""

    kwh: float
    edition: str
    source: str


@with_config(CLOSED)
class GridFactor(TypedDict):
    """The carbon intensity of a grid. Figures of different bases are not to be compared."""

    label: str
    grams_per_kwh: float
    year: str
    basis: str
    source: str
    licence: str


@with_config(CLOSED)
class BoardSources(TypedDict):
    """What the figures rest on."""

    schema_version: Literal[2]
    phone_charge: PhoneCharge
    grids: dict[str, GridFactor]
    grade_rule: str
    stars_rule: str


PLACE = ("task", "rank", "tied", "grade", "stars")
INTERVALS = (
    "energy_kwh_per_1000",
    "net_energy_kwh_per_1000",
    "energy_joules_per_unit",
    "duration_seconds_per_inference",
    "quality",
)
TEXTS = ("kind", "boundary", "devices", "dataset", "model", "weights")
RUN = ("parameter_count", "dtype", "backend", "batch_size", "steps", "unit")
LAST = ("quality_metric", "phone_charges_per_1000", "created_at", "submission", "submitted_by")
COLUMNS = (
    *PLACE,
    *TEXTS,
    *RUN,
    *(f"{name}{end}" for name in INTERVALS for end in ("", "_low", "_high")),
    *LAST,
    "why_not_ranked",
)


def cells(unit: str, row: Facts) -> str:
    """A row of the csv, but for its place, which is known when all are there."""
    model, quality, charges = row["model"], row["quality"], row["phone_charges_per_1000"]
    values: list[object] = [
        *(row["kind"], row["boundary"], " | ".join(row["devices"]), row["dataset"]),
        *(model["id"], model["weights"]),
        *(model["parameter_count"], model["dtype"], row["backend"]),
        *(row["batch_size"], row["steps"], unit),
    ]
    for name in INTERVALS:
        found: Any = row[name]  # type: ignore[literal-required]
        values += [found and found[end] for end in ("value", "low", "high")]
    values += [quality and quality["metric"], charges and charges["value"], row["created_at"]]
    values += [row["submission"], row["submitted_by"]["name"], " ".join(row["why"])]
    return _written(values)


def joined(place: Iterable[object], rest: str) -> str:
    """A whole row: its place, then its `cells`."""
    return f"{_written(place)[:-1]},{rest}"


def _written(values: Iterable[object]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow([csv_safe(value) for value in values])
    return out.getvalue()


HEAD = _written(COLUMNS)


def head() -> BoardSources:
    """What the figures rest on."""
    charge = equivalences.phone_charge()
    grids = {key: carbon.grid_factor(key) for key in carbon.DEFAULT_GRIDS}
    return {
        "schema_version": SCHEMA_VERSION,
        "phone_charge": {"kwh": charge.value, "edition": charge.edition, "source": charge.source},
        "grids": {
            key: {
                "label": fact.label,
                "grams_per_kwh": fact.value,
                "year": fact.edition,
                "basis": fact.basis,
                "source": fact.source,
                "licence": fact.licence,
            }
            for key, fact in grids.items()
        },
        "grade_rule": RULE,
        "stars_rule": STARS_RULE,
    }

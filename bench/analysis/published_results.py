"""A result beside what others published of the same task and model, with all that differs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bench.analysis.comparison import Difference
from bench.impact.facts import published
from bench.results import formatting, statistics, views
from bench.results.calibration import calibration_half_width, ratio_with_calibration
from bench.results.domains import is_gpu
from bench.results.formatting import printable
from bench.results.record import Boundary, Estimate, Result
from bench.workloads import architectures

GPU_ALONE = "the GPU alone"


@dataclass(frozen=True)
class PublishedResult:
    """A published figure for the same model, or for another of the same architecture.

    `ratio` is our GPU energy over theirs (both per 1,000), with our interval and the scale error
    of both meters; the study states no interval of its own. None where ours has no measured GPU.
    """

    row: published.PublishedFigure
    same: Literal["model", "architecture"]
    ours_kwh_per_1000: Estimate | None
    ratio: Estimate | None
    differences: tuple[Difference, ...]


def find_published_results(result: Result) -> list[PublishedResult]:
    """The published figures that fit the task and the model of a result, the same model first."""
    ours = gpu_energy(result)
    found = []
    for row in published.rows(result.task.id):
        same = _same(result.model.id, row.model)
        if same is not None:
            ratio = _ratio(ours, row, calibration_half_width(result))
            found.append(PublishedResult(row, same, ours, ratio, tuple(_differences(result, row))))
    return sorted(found, key=lambda item: item.same != "model")


def gpu_energy(result: Result) -> Estimate | None:
    """Measured energy of the GPUs alone in kWh per 1,000 inferences, as most studies state it."""
    gpus = tuple(d for d in result.boundary.domains if is_gpu(d))
    if not gpus or views.is_modelled(result):
        return None
    inside = Boundary(domains=gpus, kind="measured")
    summary = statistics.summarize(result.trials, inside, result.idle, result.task.unit)
    return summary.energy_kwh_per_1000


def _ratio(
    ours: Estimate | None, row: published.PublishedFigure, calibration: float
) -> Estimate | None:
    if ours is None or ours.value <= 0:
        return None
    value = row.gpu_energy_kwh_per_1000
    theirs = ours.model_copy(update={"value": value, "low": value, "high": value})
    return ratio_with_calibration(ours, theirs, (calibration, calibration))


def _same(ours: str, theirs: str) -> Literal["model", "architecture"] | None:
    if _short(ours) == _short(theirs):
        return "model"
    mine, its = _architecture(ours), _architecture(theirs)
    if mine is None or mine != its:
        return None
    return "architecture"


def _short(name: str) -> str:
    """A model's name without its owner, in lower case."""
    return name.lower().rpartition("/")[2]


def _architecture(name: str) -> str | None:
    """The shipped architecture that a name, or the hub id of one, stands for."""
    for row in architectures.architecture_table():
        names = [row["architecture"], *row["hub_ids"].split()]
        if _short(name) in {_short(one) for one in names}:
            return row["architecture"]
    return None


def _differences(result: Result, row: published.PublishedFigure) -> Iterator[Difference]:
    """Ours against theirs wherever the two are not the same, or can't be told to be."""
    sides = (
        ("model", printable(result.model.id), row.model),
        ("weights", result.model.weights, "pretrained"),
        ("precision", result.model.dtype or formatting.MISSING, row.precision),
        ("batch", _setting(result.model.settings.get("batch_size")), _number(row.batch_size)),
        ("steps", _setting(result.task.parameters.get("steps")), _number(row.steps)),
        (
            "new tokens",
            _setting(result.task.parameters.get("new_tokens")),
            _number(row.new_tokens),
        ),
        ("engine", result.backend.name, row.study.engine),
        ("data set", printable(result.task.dataset), row.workload or "its own"),
        ("boundary", GPU_ALONE, row.study.boundary),
        ("card", " + ".join(_cards(result)), f"{row.gpu_count or 'several'} × {row.gpu}"),
    )
    for what, ours, theirs in sides:
        if not _alike(ours, theirs):
            yield Difference(what, ours, theirs)


def _alike(ours: str, theirs: str) -> bool:
    """Whether two descriptions say the same; "the GPU alone, by a tool" is the GPU alone."""
    mine, its = ours.lower(), theirs.lower()
    return mine == its or its.startswith(f"{mine},") or {mine, its} == {formatting.MISSING}


def _cards(result: Result) -> list[str]:
    used = [d for d in result.machine.devices if d.domain in result.boundary.domains]
    gpus = [printable(d.name) for d in used if d.is_gpu]
    return [f"{gpus.count(name)} × {name}" for name in dict.fromkeys(gpus)] or ["no GPU"]


def _setting(value: object) -> str:
    return formatting.MISSING if value is None else str(value)


def _number(value: float | None) -> str:
    return formatting.MISSING if value is None else f"{value:g}"

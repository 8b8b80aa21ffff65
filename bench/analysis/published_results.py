"""Published figures of the same task and model as a result, with the ratio and differences."""

from __future__ import annotations

from collections import Counter
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

    `ratio` is the measured GPU energy divided by the published one, with the interval of the
    measurement and the calibration uncertainty of both meters; studies state no interval. It is
    None where the result has no measured GPU energy.
    """

    row: published.PublishedFigure
    same: Literal["model", "architecture"]
    measured_kwh_per_1000: Estimate | None
    ratio: Estimate | None
    differences: tuple[Difference, ...]


def find_published_results(result: Result) -> list[PublishedResult]:
    """The published figures that fit the task and the model of a result, the same model first."""
    measured = gpu_energy(result)
    matches = []
    for row in published.rows(result.task.id):
        same = _same(result.model.id, row.model)
        if same is not None:
            ratio = _ratio(measured, row, calibration_half_width(result))
            differences = tuple(_differences(result, row))
            matches.append(PublishedResult(row, same, measured, ratio, differences))
    return sorted(matches, key=lambda item: item.same != "model")


def gpu_energy(result: Result) -> Estimate | None:
    """Measured energy of the GPUs alone in kWh per 1,000 inferences, as most studies state it.

    Returns None where no GPU was measured.
    """
    gpus = tuple(d for d in result.boundary.domains if is_gpu(d))
    if not gpus or views.is_modelled(result):
        return None
    inside = Boundary(domains=gpus, kind="measured")
    summary = statistics.summarize(result.trials, inside, result.idle, result.task.unit)
    return summary.energy_kwh_per_1000


def _ratio(
    measured: Estimate | None, row: published.PublishedFigure, calibration: float
) -> Estimate | None:
    if measured is None or measured.value <= 0:
        return None
    value = row.gpu_energy_kwh_per_1000
    stated = measured.model_copy(update={"value": value, "low": value, "high": value})
    return ratio_with_calibration(measured, stated, (calibration, calibration))


def _same(measured: str, published: str) -> Literal["model", "architecture"] | None:
    """Whether two model names stand for the same model, or for the same architecture."""
    if _short(measured) == _short(published):
        return "model"
    architecture = _architecture(measured)
    if architecture is None or architecture != _architecture(published):
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
    """The settings of the result and of the study that differ, or that one of them leaves open."""
    parameters = result.task.parameters
    sides = (
        ("model", printable(result.model.id), row.model),
        ("weights", result.model.weights, "pretrained"),
        ("precision", result.model.dtype or formatting.MISSING, row.precision),
        ("batch", _text(result.model.settings.get("batch_size")), _text(row.batch_size)),
        ("steps", _text(parameters.get("steps")), _text(row.steps)),
        ("new tokens", _text(parameters.get("new_tokens")), _text(row.new_tokens)),
        ("engine", result.backend.name, row.study.engine),
        ("data set", printable(result.task.dataset), row.workload or "its own"),
        ("boundary", GPU_ALONE, row.study.boundary),
        ("card", _card(result), f"{row.gpu_count or 'several'} × {row.gpu}"),
    )
    for name, measured, stated in sides:
        if not _same_text(measured, stated):
            yield Difference(name, measured, stated)


def _same_text(measured: str, stated: str) -> bool:
    """Whether two descriptions agree; "the GPU alone, by a tool" agrees with "the GPU alone"."""
    measured, stated = measured.lower(), stated.lower()
    if {measured, stated} == {formatting.MISSING}:
        return True
    return measured == stated or stated.startswith(f"{measured},")


def _card(result: Result) -> str:
    used = [d for d in result.machine.devices if d.domain in result.boundary.domains]
    gpus = Counter(printable(d.name) for d in used if d.is_gpu)
    return " + ".join(f"{count} × {name}" for name, count in gpus.items()) or "no GPU"


def _text(value: object) -> str:
    """A setting as text; a whole number of a study without its decimal point."""
    if value is None:
        return formatting.MISSING
    return f"{value:g}" if isinstance(value, float) else str(value)

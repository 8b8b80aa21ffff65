"""Results as points of a plot: energy with its intervals, names, captions. No matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.results import views
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.domains import is_gpu
from bench.results.formatting import energy_text, printable
from bench.results.record import Result

MEASURED, MODELLED = "#0f6b62", "#a35a00"  # colours of measured and of modelled energy
SMALLEST_RATIO = 1e-6  # of the value: the lowest end that a logarithmic axis shows
LEGEND = "Bar: 95 % interval of the trials; thin line: with calibration uncertainty."
KINDS_IN_FOOTER = 4


@dataclass(frozen=True)
class PlotPoint:
    """One result in a plot: energy in kWh per 1,000 inferences with its 95 % interval.

    `calibration` is the relative half-width of the calibration uncertainty, and
    `calibrated_range` the interval with it; all ends are positive, for a logarithmic axis.
    """

    result: Result
    value: float
    low: float
    high: float
    calibration: float
    calibrated_range: tuple[float, float]
    modelled: bool

    @property
    def kind(self) -> str:
        """Whether the energy was measured or modelled, in words."""
        return "modelled, not measured" if self.modelled else "measured"


def plot_points(results: Iterable[Result]) -> list[PlotPoint]:
    """The results with a positive energy, lowest first. Raises ValueError if there is none."""
    points = []
    for result in results:
        energy = views.headline_energy(result)
        if energy is None or energy.value <= 0:
            continue
        half_width = calibration_half_width(result)
        calibrated = with_calibration(energy, half_width)
        smallest = SMALLEST_RATIO * energy.value
        points.append(
            PlotPoint(
                result=result,
                value=energy.value,
                low=max(energy.low, smallest),
                high=energy.high,
                calibration=half_width,
                calibrated_range=(max(calibrated.low, smallest), calibrated.high),
                modelled=views.is_modelled(result),
            )
        )
    if not points:
        raise ValueError("no result has an energy to draw")
    return sorted(points, key=lambda point: (point.value, point.result.run_id))


def task_points(results: Iterable[Result]) -> tuple[str, list[PlotPoint]]:
    """The task of the first result, and its results as points. Raises ValueError as above."""
    rows = list(results)
    points = plot_points(result for result in rows if result.task.id == rows[0].task.id)
    return rows[0].task.id, points


def single_point(results: Sequence[Result]) -> PlotPoint:
    """The first result as a point. Raises ValueError if there is none or it has no energy."""
    return plot_points(results[:1])[0]


def energy_range(points: Sequence[PlotPoint]) -> tuple[float, float]:
    """The least and the greatest energy of an axis that shows the points.

    An interval that ends below a fifth of its value leaves the plot on the left.
    """
    low = min(max(point.calibrated_range[0], point.value / 5) for point in points)
    return low, max(point.calibrated_range[1] for point in points)


def model_name(result: Result, longest: int = 38) -> str:
    """The name of the model, at most `longest` characters, with `rank_note`."""
    text = printable(result.model.id)
    return (text if len(text) <= longest else f"{text[: longest - 1]}…") + rank_note(result)


def rank_note(result: Result) -> str:
    """Why a measured result has no rank, in brackets; empty if it has one."""
    if result.model.weights == "random":
        return " (random weights)"
    if result.profile == "quick":
        return " (quick)"
    blocked = any(item.blocks_ranking for item in result.warnings)
    return " (not ranked)" if blocked and result.boundary.kind == "measured" else ""


def device_name(result: Result) -> str:
    """The device inside the boundary in one or two words: "H100 80GB", "CPU"."""
    if not any(is_gpu(domain) for domain in result.boundary.domains):
        return "CPU"
    text = " / ".join(views.device_labels(result)).removeprefix("NVIDIA ")
    return " ".join(printable(text).split(" at ")[0].split()[:2])


def subtitle(point: PlotPoint) -> str:
    """Task and model of a plot of one result, and whether its energy was measured."""
    return f"{point.result.task.id} · {model_name(point.result, 60)} · energy {point.kind}"


def boundaries(points: Sequence[PlotPoint]) -> list[str]:
    """One line for each kind, boundary and device among the points; at most five lines."""
    kinds: dict[str, None] = {}
    for point in points:
        devices = printable(", ".join(views.device_labels(point.result)))
        kind = "◇ modelled" if point.modelled else "● measured"
        kinds[f"{kind}: {views.boundary_label(point.result)} of {devices}"] = None
    lines = sorted(kinds, reverse=True)
    more = len(lines) - KINDS_IN_FOOTER
    return [*lines[:KINDS_IN_FOOTER], *([f"and {more} others"] if more > 0 else [])]


def footer(points: Sequence[PlotPoint], legend: str = LEGEND, more: Sequence[str] = ()) -> str:
    """Boundaries and kinds, further lines, how to read the marks, and the date of the results."""
    dates = sorted({point.result.created_at[:10] for point in points})
    date = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    notes = [f"Modelled energy: {views.NOT_COUNTED}."] if any(p.modelled for p in points) else []
    return "\n".join([*boundaries(points), *more, *notes, f"{legend} JouleBench, {date}"])


def caption(title: str, points: Sequence[PlotPoint]) -> str:
    """The numbers of a plot as text, saved in its file for readers who cannot see the plot."""
    lines = [title]
    for point in points:
        value, low, high = (energy_text(e, 4) for e in (point.value, point.low, point.high))
        kind = f"modelled, {views.NOT_COUNTED}" if point.modelled else "measured"
        name = f"{point.result.task.id}, {model_name(point.result, 300)}"
        device = device_name(point.result)
        lines.append(f"{name}, {device}: {value} per 1,000 ({low} to {high}), {kind}")
    return "\n".join(lines)

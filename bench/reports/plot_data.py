"""What figures draw: results as points with an interval, and the words that go with them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bench.results import views
from bench.results.calibration import calibration_half_width, with_calibration
from bench.results.domains import is_gpu
from bench.results.formatting import energy_text, printable
from bench.results.record import Result

TINY = 1e-6
HOW = "Bar: 95 % interval of the trials; thin line: with the scale error."


@dataclass(frozen=True)
class PlotPoint:
    """One result as a mark: its energy in kWh per 1,000 with the ends of its interval."""

    result: Result
    value: float
    low: float
    high: float
    calibration: float
    whole: tuple[float, float]
    modelled: bool


def points(results: Iterable[Result]) -> list[PlotPoint]:
    """The results that have a positive energy, least first. Raises ValueError if none has."""
    found = []
    for result in results:
        energy = views.headline_energy(result)
        if energy is not None and energy.value > 0:
            low = max(energy.low, TINY * energy.value)
            half_width = calibration_half_width(result)
            wide = with_calibration(energy, half_width)
            modelled = views.is_modelled(result)
            found.append(
                PlotPoint(
                    result,
                    energy.value,
                    low,
                    energy.high,
                    half_width,
                    (wide.low, wide.high),
                    modelled,
                )
            )
    if not found:
        raise ValueError("no result has an energy to draw")
    return sorted(found, key=lambda point: (point.value, point.result.run_id))


def outer(point: PlotPoint) -> tuple[float, float]:
    """The ends of the interval with the scale error too, positive for a logarithmic axis."""
    return max(point.whole[0], TINY * point.value), point.whole[1]


def ends(found: Sequence[PlotPoint]) -> tuple[float, float]:
    """The least and the greatest energy of an axis that shows the marks.

    An interval that reaches far below its value, or below zero, runs out of the picture.
    """
    low = min(max(outer(point)[0], point.value / 5) for point in found)
    return low, max(outer(point)[1] for point in found)


def name(result: Result, most: int = 38) -> str:
    """A model's name, on one line and not too long, with what bars it from ranking."""
    text = printable(result.model.id)
    return (text if len(text) <= most else f"{text[: most - 1]}…") + caveat(result)


def caveat(result: Result) -> str:
    """Why a measured result has no rank, in a word or two in brackets; empty if it has one."""
    if result.model.weights == "random":
        return " (random weights)"
    if result.profile == "quick":
        return " (quick)"
    barred = any(item.blocks_ranking for item in result.warnings)
    return " (doubtful)" if barred and result.boundary.kind == "measured" else ""


def device(result: Result) -> str:
    """The device inside the boundary in a word or two: "H100 80GB", "CPU"."""
    if not any(is_gpu(domain) for domain in result.boundary.domains):
        return "CPU"
    text = " / ".join(views.device_labels(result)).removeprefix("NVIDIA ")
    return " ".join(printable(text).split(" at ")[0].split()[:2])


def footer(found: Sequence[PlotPoint], how: str = HOW) -> str:
    """Boundary, kind and date of what is drawn, and how to read the marks."""
    kinds: dict[str, None] = {}
    for point in found:
        where = ", ".join(views.device_labels(point.result))
        kind = "◇ modelled" if point.modelled else "● measured"
        kinds[f"{kind}: {views.boundary_label(point.result)} of {printable(where)}"] = None
    listed = sorted(kinds, reverse=True)
    more = [f"and {len(listed) - 4} others"] if len(listed) > 4 else []
    dates = sorted({point.result.created_at[:10] for point in found})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    return "\n".join([*listed[:4], *more, f"{how} JouleBench, {when}"])


def caption(title: str, found: Sequence[PlotPoint]) -> str:
    """The figure's numbers as text: what goes into its file, for readers who can't see it."""
    lines = [title]
    for point in found:
        ends = (energy_text(end, 4) for end in (point.value, point.low, point.high))
        value, low, high = ends
        kind = "modelled" if point.modelled else "measured"
        who = f"{point.result.task.id}, {name(point.result, 300)}, {device(point.result)}"
        lines.append(f"{who}: {value} per 1,000 ({low} to {high}), {kind}")
    return "\n".join(lines)

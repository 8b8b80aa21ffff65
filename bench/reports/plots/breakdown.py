"""Energy of 1,000 inferences by domain: GPU, CPU and memory, each at idle and above idle."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reports import plot_data, plot_style
from bench.results import idle_floor, statistics, units, views
from bench.results.domains import by_kind, kind_label
from bench.results.formatting import energy_unit, format_nonnegative
from bench.results.record import Result

SCOPE = "task"
MOST_BARS = 24
# Colours by kind of domain: above idle, at idle.
COLOURS = {
    "gpu": ("#0f6b62", "#8fc1bb"),
    "cpu-package": ("#a35a00", "#dcb383"),
    "dram": ("#4b4a8f", "#b4b3da"),
    "wall": ("#5a5750", "#bab6ac"),
}
OTHER_COLOURS = ("#6b675f", "#c9c4b9")


@dataclass(frozen=True)
class EnergyShare:
    """Energy of one kind of domain in kWh per 1,000 inferences.

    `idle` is the part of `energy` at idle; None where the idle floor is unknown.
    """

    kind: str
    energy: float
    idle: float | None


@plot_style.plot_context()
def draw(results: Sequence[Result]) -> Figure:
    """The measured results of one task, one stacked bar each.

    Of more than 24 results the lowest and the highest twelve are shown. Raises ValueError if none
    has a measured energy.
    """
    task, points = plot_data.task_points(r for r in results if not views.is_modelled(r))
    if len(points) > MOST_BARS:
        points = [*points[: MOST_BARS // 2], *points[-MOST_BARS // 2 :]]
    shares = {point.result.run_id: list(energy_shares(point.result)) for point in points}
    greatest = max(point.value for point in points)
    unit, size = energy_unit(greatest)
    figure, axes = plot_style.canvas(2.9 + 0.5 * len(points))
    for y, point in enumerate(points):
        _draw_bar(axes, -y, shares[point.result.run_id], size)
        value = format_nonnegative(views.headline_energy(point.result), size)[0]
        axes.text(point.value / size, -y, f" {value} {unit}", va="center_baseline", fontsize=10)
    names = [(-float(y), plot_data.model_name(p.result)) for y, p in enumerate(points)]
    plot_style.name_rows(axes, names)
    axes.set_ylim(-len(points) + 0.4, 0.6)
    plot_style.linear_axis(axes, "x", 1.2 * greatest / size)
    axes.set_xlabel(f"{unit} per 1,000 inferences")
    axes.grid(axis="x", color=plot_style.LINE, linewidth=0.8)
    plot_style.draw_legend(axes, _legend([share for bar in shares.values() for share in bar]))
    foot = plot_data.footer(points, "Bar: gross energy by domain.")
    title = f"{task}: energy by domain"
    return plot_style.add_titles(figure, title, _subtitle(shares), points, foot)


def energy_shares(result: Result) -> Iterator[EnergyShare]:
    """The energy of each kind of domain in the boundary, in kWh per 1,000 inferences.

    Its idle part is the idle power with the model loaded, times the duration of the trials.
    """
    trials = result.measured()
    count = sum(trial.work.inference_count for trial in trials)
    seconds = math.fsum(trial.duration_seconds for trial in trials)
    for kind, domains in by_kind(result.boundary.domains).items():
        total = statistics.total_kwh(trials, domains)
        if total is None or not count:
            continue
        floors = [idle_floor.idle_watts(result.idle, domain) for domain in domains]
        idle = None
        if all(floor is not None for floor in floors):
            watts = math.fsum(floor[0] for floor in floors if floor)
            idle = 1000 * min(units.kwh_from_joules(watts * seconds), total) / count
        yield EnergyShare(kind, 1000 * total / count, idle)


def _draw_bar(axes: Axes, y: float, shares: Sequence[EnergyShare], size: float) -> None:
    left = 0.0
    for share in shares:
        dark, light = COLOURS.get(share.kind, OTHER_COLOURS)
        idle = share.idle or 0.0
        for width, color in ((idle, light), (share.energy - idle, dark)):
            if width > 0:
                edge = plot_style.PAPER
                axes.barh(y, width / size, 0.62, left / size, color=color, edgecolor=edge)
            left += width


def _legend(shares: Sequence[EnergyShare]) -> dict[str, str]:
    """The names of the shares that are drawn, each with its colour."""
    legend: dict[str, str] = {}
    for kind in dict.fromkeys(share.kind for share in shares):
        dark, light = COLOURS.get(kind, OTHER_COLOURS)
        name = kind_label(kind)
        known = any(share.idle is not None for share in shares if share.kind == kind)
        legend |= {f"{name} at idle": light} if known else {}
        legend[f"{name} above idle" if known else name] = dark
    return legend


def _subtitle(shares: Mapping[str, Sequence[EnergyShare]]) -> str:
    if any(share.idle is None for bar in shares.values() for share in bar):
        return "Gross energy by domain; not divided where the idle power could not be read"
    return "Gross energy by domain: at idle with the model loaded, and above idle"

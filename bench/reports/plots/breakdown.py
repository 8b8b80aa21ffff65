"""Where the energy of 1,000 inferences goes: GPU, CPU and memory, each at idle and above it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.reports import plot_data, plot_style
from bench.results import statistics, units, views
from bench.results.domains import by_kind, kind_label
from bench.results.formatting import energy_unit, format_nonnegative
from bench.results.record import Result

SCOPE = "task"
MOST = 24
TONES = {
    "gpu": ("#0f6b62", "#8fc1bb"),
    "cpu-package": ("#a35a00", "#dcb383"),
    "dram": ("#4b4a8f", "#b4b3da"),
    "wall": ("#5a5750", "#bab6ac"),
}
OTHER = ("#6b675f", "#c9c4b9")


@dataclass(frozen=True)
class EnergyShare:
    """A share of the energy of 1,000 inferences, in kWh; `idle` None: the floor is not known."""

    kind: str
    gross: float
    idle: float | None


@plot_style.styled
def draw(results: Sequence[Result], *, task: str | None = None) -> Figure:
    """The measured results of one task (by default that of the first), one stacked bar each.

    Raises ValueError if none of them has a measured energy by domain. Beyond 24 results the least
    and the greatest are shown.
    """
    chosen = task or (results[0].task.id if results else "")
    measured = [r for r in results if r.task.id == chosen and not views.is_modelled(r)]
    found = plot_data.points(measured)
    if len(found) > MOST:
        found = [*found[: MOST // 2], *found[-MOST // 2 :]]
    whole = {point.result.run_id: list(parts(point.result)) for point in found}
    most = max(point.value for point in found)
    unit, size = energy_unit(most)
    figure, axes = plot_style.canvas(2.9 + 0.5 * len(found))
    for y, point in enumerate(found):
        _bar(axes, -y, whole[point.result.run_id], size)
        text = " " + format_nonnegative(views.headline_energy(point.result), size)[0] + f" {unit}"
        axes.text(point.value / size, -y, text, va="center_baseline", fontsize=10)
    axes.set_yticks([-y for y in range(len(found))], [plot_data.name(p.result) for p in found])
    axes.set_ylim(-len(found) + 0.4, 0.6)
    plot_style.linear_axis(axes, "x", 1.2 * most / size)
    axes.set_xlabel(f"{unit} per 1,000 inferences", labelpad=8)
    axes.tick_params(axis="y", length=0, pad=10)
    axes.grid(axis="x", color=plot_style.LINE, linewidth=0.8)
    plot_style.key(axes, _names([part for some in whole.values() for part in some]))
    title = f"{chosen}: where the energy goes"
    foot = plot_data.footer(found).splitlines()
    last = f"Bar: gross energy by domain. JouleBench, {foot[-1].rpartition('JouleBench, ')[2]}"
    return plot_style.finish(figure, title, _subtitle(whole), found, "\n".join([*foot[:-1], last]))


def parts(result: Result) -> Iterator[EnergyShare]:
    """The energy of each kind of domain in the boundary, in kWh per 1,000 inferences.

    The idle share is the floor with the model resident, times the time of the trials.
    """
    trials = result.measured()
    count = sum(trial.work.inference_count for trial in trials)
    seconds = math.fsum(trial.duration_seconds for trial in trials)
    for kind, domains in by_kind(result.boundary.domains).items():
        joules = [statistics.energy_joules(trial, domains) for trial in trials]
        known = [value for value in joules if value is not None]
        if len(known) < len(joules) or not count:
            continue
        gross = math.fsum(known)
        floors = [statistics.idle_watts(result.idle, domain) for domain in domains]
        idle = None
        if all(floor is not None for floor in floors):
            watts = math.fsum(floor[0] for floor in floors if floor)
            idle = units.kwh_per_1000(min(watts * seconds, gross) / count)
        yield EnergyShare(kind, units.kwh_per_1000(gross / count), idle)


def _bar(axes: Axes, y: float, some: Sequence[EnergyShare], size: float) -> None:
    left = 0.0
    for part in some:
        dark, light = TONES.get(part.kind, OTHER)
        idle = part.idle or 0.0
        for width, tone in ((idle, light), (part.gross - idle, dark)):
            if width > 0:
                axes.barh(
                    y, width / size, 0.62, left / size, color=tone, edgecolor=plot_style.PAPER
                )
            left += width


def _names(some: Sequence[EnergyShare]) -> dict[str, str]:
    """The shares that are drawn, each with its tone."""
    found: dict[str, str] = {}
    for kind in dict.fromkeys(part.kind for part in some):
        dark, light = TONES.get(kind, OTHER)
        name = kind_label(kind)
        known = any(part.idle is not None for part in some if part.kind == kind)
        found |= {f"{name} at idle": light} if known else {}
        found[f"{name} above idle" if known else name] = dark
    return found


def _subtitle(whole: dict[str, list[EnergyShare]]) -> str:
    unknown = any(part.idle is None for some in whole.values() for part in some)
    return (
        "Gross energy by domain; where the idle floor could not be read, undivided"
        if unknown
        else "Gross energy by domain: the idle floor with the model loaded, and what work adds"
    )

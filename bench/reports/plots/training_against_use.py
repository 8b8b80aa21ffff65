"""After how many uses inference has taken as much energy as training, both axes logarithmic."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.impact import projection
from bench.impact.lifecycle import break_even
from bench.impact.projection import TrainingEnergy
from bench.reports import plot_data, plot_style
from bench.results.formatting import format_number, large_energy_unit, large_number_text
from bench.results.interval import Interval
from bench.results.record import Result

SCOPE = "all"
ROOM = 40  # how far below the least training the axis begins, for the legend
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (6, 2, 1, 2)), (0, (1, 1.5)))
RUNS = ("bloomz-560m-pretrain-finetune", "bloom-176b", "llama-3.1-405b")


@plot_style.styled
def draw(results: Sequence[Result], *, runs: Sequence[TrainingEnergy] | None = None) -> Figure:
    """Lines of use, of each task the result that takes most, against published trainings.

    Nothing says that one made the other: where they cross, training and use weigh the same. Raises
    ValueError if no result has an energy.
    """
    found = _most(plot_data.points(results))
    trainings = list(runs) if runs else [projection.training(key) for key in RUNS]
    figure, axes = plot_style.canvas(6.2)
    uses = [_use(point) for point in found]
    energies = [run.energy_kwh.value for run in trainings]
    low, high = plot_style.log_range(min(energies) / ROOM, max(energies) * 3)
    crossings = [break_even(run.energy_kwh, use) for run in trainings for use in uses]
    left, right = plot_style.log_range(
        min(c.value for c in crossings) / 10, max(c.value for c in crossings) * 3
    )
    plot_style.log_axis(axes, "y", low, high, _energy)
    plot_style.log_axis(axes, "x", left, right, _count)
    spots: list[plot_style.Spot] = []
    tasks = list(dict.fromkeys(point.result.task.id for point in found))
    for point, use in zip(found, uses, strict=True):
        dash = DASHES[tasks.index(point.result.task.id) % len(DASHES)]
        _line(axes, point, use, (left, right), dash)
        spots += [_cross(axes, point, use, run) for run in trainings]
    for run in trainings:
        value = run.energy_kwh.value
        axes.axhline(value, color=plot_style.SOFT, linewidth=1.2, linestyle=(0, (2, 3)), zorder=1)
    axes.set_xlabel("uses", labelpad=8)
    axes.set_ylabel("energy of all uses", labelpad=8)
    names = [f"{textwrap.fill(run.name, 18)}\n{_energy(run.energy_kwh.value)}" for run in trainings]
    axes.set_yticks(energies, names)
    axes.tick_params(axis="x", length=0, pad=6, labelcolor=plot_style.SOFT)
    axes.tick_params(axis="y", length=0, pad=6, labelsize=9.5)
    legend = axes.legend(loc="lower right", frameon=False, fontsize=9.5, labelcolor=plot_style.INK)
    legend.set_in_layout(False)
    title = "Training against use"
    subtitle = "Level lines: published trainings, none of them of these models"
    if runs:
        subtitle = "Level line: the training that was named; nothing checks that it made this model"
    foot = plot_data.footer(found, "Band and bar: 95 % interval, with the scale error.")
    plot_style.finish(figure, title, subtitle, found, foot)
    plot_style.label(axes, spots, reach=8)
    return figure


def _most(found: Sequence[plot_data.PlotPoint]) -> list[plot_data.PlotPoint]:
    """Of each task, measured and modelled, the result that takes most."""
    most = {(point.result.task.id, point.modelled): point for point in found}
    return list(most.values())


def _use(point: plot_data.PlotPoint) -> Interval:
    """kWh of one use, with the scale error of the sensor or model."""
    low, high = plot_data.outer(point)
    return Interval(point.value, low, high) / 1000


def _line(
    axes: Axes, point: plot_data.PlotPoint, use: Interval, ends: tuple[float, float], dash: Any
) -> None:
    tone = plot_style.colour(point)
    low, high = ([end * x for x in ends] for end in (use.low, use.high))
    axes.fill_between(ends, low, high, color=tone, alpha=0.13, linewidth=0)
    kind = "modelled" if point.modelled else "measured"
    name = f"{point.result.task.id}, {plot_data.name(point.result, 26)}, {kind}"
    values = [use.value * x for x in ends]
    axes.plot(ends, values, color=tone, linewidth=1.8, linestyle=dash, label=name)


def _cross(
    axes: Axes, point: plot_data.PlotPoint, use: Interval, run: TrainingEnergy
) -> plot_style.Spot:
    even, y = break_even(run.energy_kwh, use), run.energy_kwh.value
    axes.plot(
        (even.low, even.high), (y, y), color=plot_style.colour(point), linewidth=3.5, alpha=0.6
    )
    axes.plot([even.value], [y], **plot_style.dot(point))
    return even.value, even.value, y, _count(even.value, 2)


def _energy(kwh: float) -> str:
    unit, size = large_energy_unit(kwh * (1 + 1e-9))
    return f"{format_number(kwh / size, 3).removesuffix('.00')} {unit}"


def _count(uses: float, digits: int = 1) -> str:
    return large_number_text(Interval.of(uses), digits)

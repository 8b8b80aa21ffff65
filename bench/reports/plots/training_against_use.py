"""Energy of training and of all uses, and the break-even between them; both axes logarithmic."""

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
SPACE_BELOW = 40  # factor below the least training where the axis starts, for the legend
DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (6, 2, 1, 2)), (0, (1, 1.5)))
TRAININGS = ("bloomz-560m-pretrain-finetune", "bloom-176b", "llama-3.1-405b")


@plot_style.plot_context()
def draw(results: Sequence[Result], *, runs: Sequence[TrainingEnergy] | None = None) -> Figure:
    """Energy of use of the most energetic result of each task, against published trainings.

    The trainings (`runs`, by default three published ones) are not those of the models; a crossing
    is the number of uses whose energy equals the training. Raises ValueError if no result has an
    energy.
    """
    # Points are sorted by energy, so the highest of each task remains, measured and modelled apart.
    highest = {(p.result.task.id, p.modelled): p for p in plot_data.plot_points(results)}
    points = list(highest.values())
    trainings = list(runs) if runs else [projection.training_energy(key) for key in TRAININGS]
    figure, axes = plot_style.canvas(6.2)
    uses = [Interval(point.value, *point.calibrated_range) / 1000 for point in points]  # kWh of one
    energies = [run.energy_kwh.value for run in trainings]
    low, high = plot_style.log_range(min(energies) / SPACE_BELOW, max(energies) * 3)
    crossings = [break_even(run.energy_kwh, use).value for run in trainings for use in uses]
    left, right = plot_style.log_range(min(crossings) / 10, max(crossings) * 3)
    plot_style.log_axis(axes, "y", low, high, _energy_text)
    plot_style.log_axis(axes, "x", left, right, _count_text)
    spots: list[plot_style.LabelSpot] = []
    tasks = list(dict.fromkeys(point.result.task.id for point in points))
    for point, use in zip(points, uses, strict=True):
        dash = DASHES[tasks.index(point.result.task.id) % len(DASHES)]
        _draw_use(axes, point, use, (left, right), dash)
        spots += [_draw_crossing(axes, point, use, run) for run in trainings]
    for kwh in energies:
        axes.axhline(kwh, color=plot_style.SOFT, linewidth=1.2, linestyle=(0, (2, 3)), zorder=1)
    axes.set(xlabel="uses", ylabel="energy of all uses")
    names = [textwrap.fill(run.name, 18) for run in trainings]
    texts = [f"{name}\n{_energy_text(kwh)}" for name, kwh in zip(names, energies, strict=True)]
    axes.set_yticks(energies, texts)
    axes.tick_params(axis="x", length=0, pad=6, labelcolor=plot_style.SOFT)
    axes.tick_params(axis="y", length=0, pad=6, labelsize=9.5)
    legend = axes.legend(loc="lower right", frameon=False, fontsize=9.5, labelcolor=plot_style.INK)
    legend.set_in_layout(False)
    subtitle = "Level lines: published trainings, none of them of these models"
    if runs:
        subtitle = "Level line: the named training; it is not checked that it made this model"
    foot = plot_data.footer(points, "Band and bar: 95 % interval with calibration uncertainty.")
    plot_style.add_titles(figure, "Training against use", subtitle, points, foot)
    plot_style.label_points(axes, spots, reach=8)
    return figure


def _draw_use(
    axes: Axes, point: plot_data.PlotPoint, use: Interval, ends: tuple[float, float], dash: Any
) -> None:
    color = plot_style.colour(point)
    low, high = ([end * x for x in ends] for end in (use.low, use.high))
    axes.fill_between(ends, low, high, color=color, alpha=0.13, linewidth=0)
    kind = "modelled" if point.modelled else "measured"
    name = f"{point.result.task.id}, {plot_data.model_name(point.result, 26)}, {kind}"
    values = [use.value * x for x in ends]
    axes.plot(ends, values, color=color, linewidth=1.8, linestyle=dash, label=name)


def _draw_crossing(
    axes: Axes, point: plot_data.PlotPoint, use: Interval, run: TrainingEnergy
) -> plot_style.LabelSpot:
    """Mark the break-even of a use and a training. Returns the spot of its label."""
    even, y = break_even(run.energy_kwh, use), run.energy_kwh.value
    interval, color = (even.low, even.high), plot_style.colour(point)
    axes.plot(interval, (y, y), color=color, linewidth=3.5, alpha=0.6)
    axes.plot([even.value], [y], **plot_style.marker_style(point))
    return even.value, even.value, y, _count_text(even.value, 2)


def _energy_text(kwh: float) -> str:
    unit, size = large_energy_unit(kwh * (1 + 1e-9))
    return f"{format_number(kwh / size, 3).removesuffix('.00')} {unit}"


def _count_text(uses: float, digits: int = 1) -> str:
    return large_number_text(Interval.of(uses), digits)

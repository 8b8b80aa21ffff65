"""Energy per 1,000 inferences against quality, with the models that no other beats in both."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator

from bench.reports import plot_data, plot_style
from bench.results.formatting import printable
from bench.results.record import Quality, Result
from bench.system import registry

SCOPE = "task"
Mark = tuple[plot_data.PlotPoint, Quality]


@plot_style.styled
def draw(results: Sequence[Result], *, task: str | None = None) -> Figure:
    """The results of one task (by default that of the first) whose quality is known.

    Quality is up, energy to the right, both with their 95 % interval; the best corner is above on
    the left. Only results of the same metric, data set and kind (measured or modelled) share a
    front. Raises ValueError if there are fewer than two of them.
    """
    chosen = task or (results[0].task.id if results else "")
    found = plot_data.points(r for r in results if r.task.id == chosen and r.quality)
    metrics = [point.result.quality.metric for point in found if point.result.quality]
    metric = max(dict.fromkeys(metrics), key=metrics.count)
    marks = [(p, q) for p in found if (q := p.result.quality) and q.metric == metric]
    if len(marks) < 2:
        raise ValueError("fewer than two results with a quality to compare")
    way = registry.quality_direction(chosen) or "higher"
    figure, axes = plot_style.canvas(6.4)
    plot_style.energy_axis(
        axes, "x", *plot_style.log_range(*plot_data.ends([m[0] for m in marks]), pad=0.14)
    )
    _quality_axis(axes, marks, way)
    spots = [_mark(axes, point, of) for point, of in marks]
    fronts = [_front(axes, mine, way) for mine in _alike(marks)]
    axes.set_ylabel(printable(metric) + (" (lower is better)" * (way == "lower")), labelpad=8)
    axes.tick_params(axis="both", length=0, pad=6, labelcolor=plot_style.SOFT)
    axes.grid(axis="y", color=plot_style.LINE, linewidth=0.8)
    title = f"{chosen}: energy against quality"
    line = "Dashes: the models that no other beats in both" if any(fronts) else "No front to draw"
    plot_style.finish(figure, title, f"{line}. Best is above on the left", [m[0] for m in marks])
    plot_style.label(axes, spots, reach=10)
    return figure


def front(marks: Sequence[Mark], way: str) -> list[Mark]:
    """The marks that no other beats in energy and in quality alike, least energy first."""
    sign = 1 if way == "higher" else -1
    kept: list[Mark] = []
    for point, of in sorted(marks, key=lambda m: (m[0].value, -sign * m[1].value)):
        if not kept or sign * of.value > sign * kept[-1][1].value:
            kept.append((point, of))
    return kept


def _alike(marks: Sequence[Mark]) -> list[list[Mark]]:
    """The marks by what makes them comparable: data set, and measured or modelled."""
    groups: dict[tuple[str | None, bool], list[Mark]] = {}
    for point, of in marks:
        same = point.result.task.fingerprint, point.modelled
        groups.setdefault(same, []).append((point, of))
    return list(groups.values())


def _front(axes: Axes, marks: Sequence[Mark], way: str) -> bool:
    """Draw the front of comparable marks as steps; whether there was one."""
    best = front(marks, way)
    if len(best) < 2:
        return False
    axes.plot(
        [point.value for point, _ in best],
        [of.value for _, of in best],
        drawstyle="steps-post",
        linestyle=(0, (4, 2)),
        color=plot_style.colour(best[0][0]),
        linewidth=1.2,
        alpha=0.55,
        zorder=1.5,
    )
    return True


def _mark(axes: Axes, point: plot_data.PlotPoint, of: Quality) -> plot_style.Spot:
    """A dot with the intervals of energy and quality; gives where its name belongs."""
    plot_style.mark(axes, point, of.value)
    tone = plot_style.colour(point)
    axes.plot((point.value, point.value), (of.low, of.high), color=tone, linewidth=3.5, alpha=0.9)
    left, right = plot_data.outer(point)
    return max(left, axes.get_xlim()[0]), right, of.value, plot_data.name(point.result, 32)


def _quality_axis(axes: Axes, marks: Sequence[Mark], way: str) -> None:
    """A linear axis over the intervals, better always up."""
    low = min(of.low for _, of in marks)
    high = max(of.high for _, of in marks)
    pad = 0.12 * (high - low or abs(high) or 1.0)
    ends = (low - pad, high + pad)
    ticks = [
        t
        for t in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
        if ends[0] <= t <= ends[1]
    ]
    axes.set_ylim(*(ends if way == "higher" else reversed(ends)))
    axes.yaxis.set_major_locator(
        FixedLocator([tick for tick in ticks if ends[0] <= tick <= ends[1]])
    )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))

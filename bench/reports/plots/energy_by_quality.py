"""Energy per 1,000 inferences against quality, with the Pareto front of comparable models."""

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
QualityPoint = tuple[plot_data.PlotPoint, Quality]


@plot_style.plot_context()
def draw(results: Sequence[Result]) -> Figure:
    """The results of one task whose quality is known.

    Better quality is up and more energy to the right, both with their 95 % interval. Results of
    the same metric, data set and kind (measured or modelled) share a front. Raises ValueError if
    fewer than two results have the most frequent metric.
    """
    task, points = plot_data.task_points(r for r in results if r.quality)
    metrics = [point.result.quality.metric for point in points if point.result.quality]
    metric = max(dict.fromkeys(metrics), key=metrics.count)
    pairs = [(p, q) for p in points if (q := p.result.quality) and q.metric == metric]
    if len(pairs) < 2:
        raise ValueError("fewer than two results with a quality to compare")
    points = [point for point, _ in pairs]
    better = registry.quality_direction(task) or "higher"
    figure, axes = plot_style.canvas(6.4)
    plot_style.energy_axis(axes, "x", plot_data.energy_range(points), pad=0.14)
    _quality_axis(axes, [quality for _, quality in pairs], better)
    spots = [_draw_pair(axes, point, quality) for point, quality in pairs]
    fronts = [_draw_front(axes, group, better) for group in _comparable_groups(pairs)]
    lower = " (lower is better)" if better == "lower" else ""
    axes.set_ylabel(f"{printable(metric)}{lower}")
    plot_style.plain_ticks(axes, "y")
    line = "Dashed: Pareto front" if any(fronts) else "No Pareto front of comparable models"
    subtitle = f"{line}. Best is top left"
    plot_style.add_titles(figure, f"{task}: energy against quality", subtitle, points)
    plot_style.label_points(axes, spots, reach=10)
    return figure


def pareto_front(pairs: Sequence[QualityPoint], better: str) -> list[QualityPoint]:
    """The points that no other exceeds in both energy and quality, lowest energy first.

    `better` says whether "higher" or "lower" quality is better.
    """
    sign = 1 if better == "higher" else -1
    front: list[QualityPoint] = []
    for point, quality in sorted(pairs, key=lambda p: (p[0].value, -sign * p[1].value)):
        if not front or sign * quality.value > sign * front[-1][1].value:
            front.append((point, quality))
    return front


def _comparable_groups(pairs: Sequence[QualityPoint]) -> list[list[QualityPoint]]:
    """The points by data set and by measured or modelled."""
    groups: dict[tuple[str | None, bool], list[QualityPoint]] = {}
    for point, quality in pairs:
        key = point.result.task.fingerprint, point.modelled
        groups.setdefault(key, []).append((point, quality))
    return list(groups.values())


def _draw_front(axes: Axes, pairs: Sequence[QualityPoint], better: str) -> bool:
    """Draw the Pareto front as steps. Returns whether it has two points or more."""
    front = pareto_front(pairs, better)
    if len(front) < 2:
        return False
    energies, qualities = zip(*((p.value, quality.value) for p, quality in front), strict=True)
    color, dashes = plot_style.colour(front[0][0]), (0, (4, 2))
    (line,) = axes.step(energies, qualities, where="post", color=color, linestyle=dashes)
    line.set(linewidth=1.2, alpha=0.55, zorder=1.5)
    return True


def _draw_pair(axes: Axes, point: plot_data.PlotPoint, quality: Quality) -> plot_style.LabelSpot:
    """Draw a point with the intervals of energy and quality. Returns the spot of its label."""
    plot_style.draw_point(axes, point, quality.value)
    x, color = (point.value, point.value), plot_style.colour(point)
    axes.plot(x, (quality.low, quality.high), color=color, linewidth=3.5, alpha=0.9)
    left, right = point.calibrated_range
    name = plot_data.model_name(point.result, 32)
    return max(left, axes.get_xlim()[0]), right, quality.value, name


def _quality_axis(axes: Axes, qualities: Sequence[Quality], better: str) -> None:
    """A linear axis over the intervals, better quality up."""
    low = min(quality.low for quality in qualities)
    high = max(quality.high for quality in qualities)
    pad = 0.12 * (high - low or abs(high) or 1.0)
    bottom, top = low - pad, high + pad
    ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(low, high)
    axes.set_ylim(*((bottom, top) if better == "higher" else (top, bottom)))
    axes.yaxis.set_major_locator(FixedLocator([t for t in ticks if bottom <= t <= top]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))

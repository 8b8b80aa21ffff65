"""Energy per 1,000 inferences against the number of parameters, both logarithmic, with quality."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from bench.reports import plot_data, plot_style
from bench.results.formatting import format_count, printable
from bench.results.record import Result

SCOPE = "task"


@plot_style.plot_context()
def draw(results: Sequence[Result]) -> Figure:
    """The results of one task whose parameter count is known.

    Raises ValueError if fewer than two different counts are known.
    """
    task, points = plot_data.task_points(r for r in results if r.model.parameter_count)
    counts = [float(point.result.model.parameter_count or 1) for point in points]
    if len(set(counts)) < 2:
        raise ValueError("fewer than two parameter counts to compare")
    figure, axes = plot_style.canvas(6.2)
    plot_style.energy_axis(axes, "y", plot_data.energy_range(points), pad=0.12)
    left, right = plot_style.log_range(min(counts), max(counts), pad=0.14)
    plot_style.log_axis(axes, "x", left, right, lambda value: format_count(round(value)))
    spots = []
    for point, count in zip(points, counts, strict=True):
        x, color = (count, count), plot_style.colour(point)
        axes.plot(x, point.calibrated_range, color=color, linewidth=1, alpha=0.5, zorder=2)
        axes.plot(x, (point.low, point.high), color=color, linewidth=3.5)
        axes.plot([count], [point.value], **plot_style.marker_style(point))
        spots.append((count, count, point.value, _label(point)))
    axes.set_xlabel("parameters")
    plot_style.plain_ticks(axes, "y")
    metric = next((p.result.quality.metric for p in points if p.result.quality), None)
    subtitle = f"Label: model and its quality ({metric})" if metric else "Quality is not known"
    title = f"{task}: energy against parameters"
    plot_style.add_titles(figure, title, printable(subtitle), points)
    plot_style.label_points(axes, spots, reach=10)
    return figure


def _label(point: plot_data.PlotPoint) -> str:
    quality = point.result.quality
    name = plot_data.model_name(point.result, 32)
    return f"{name}, {100 * quality.value:.0f} %" if quality else name

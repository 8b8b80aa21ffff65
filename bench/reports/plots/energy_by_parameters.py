"""Energy per 1,000 inferences against the number of parameters, both logarithmic, with quality."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.figure import Figure

from bench.reports import plot_data, plot_style
from bench.results.formatting import format_count, printable
from bench.results.record import Result

SCOPE = "task"


@plot_style.styled
def draw(results: Sequence[Result], *, task: str | None = None) -> Figure:
    """The results of one task (by default that of the first) whose parameters are known.

    Raises ValueError if there are fewer than two sizes to compare.
    """
    chosen = task or (results[0].task.id if results else "")
    sized = [r for r in results if r.task.id == chosen and r.model.parameter_count]
    found = plot_data.points(sized)
    sizes = [float(point.result.model.parameter_count or 1) for point in found]
    if len(set(sizes)) < 2:
        raise ValueError("fewer than two sizes to compare")
    figure, axes = plot_style.canvas(6.2)
    plot_style.energy_axis(axes, "y", *plot_style.log_range(*plot_data.ends(found), pad=0.12))
    low, high = plot_style.log_range(min(sizes), max(sizes), pad=0.14)
    plot_style.log_axis(axes, "x", low, high, lambda value: format_count(round(value)))
    spots = []
    for point, size in zip(found, sizes, strict=True):
        across, tone = (size, size), plot_style.colour(point)
        axes.plot(across, plot_data.outer(point), color=tone, linewidth=1, alpha=0.5, zorder=2)
        axes.plot(across, (point.low, point.high), color=tone, linewidth=3.5)
        axes.plot([size], [point.value], **plot_style.dot(point))
        spots.append((size, size, point.value, _words(point)))
    axes.set_xlabel("parameters", labelpad=8)
    axes.tick_params(axis="both", length=0, pad=6, labelcolor=plot_style.SOFT)
    axes.grid(axis="y", color=plot_style.LINE, linewidth=0.8)
    title = f"{chosen}: energy against size"
    metric = next((p.result.quality.metric for p in found if p.result.quality), None)
    subtitle = f"Beside each model its quality ({metric})" if metric else "Quality is not known"
    plot_style.finish(figure, title, printable(subtitle), found)
    plot_style.label(axes, spots, reach=10)
    return figure


def _words(point: plot_data.PlotPoint) -> str:
    quality = point.result.quality
    text = plot_data.name(point.result, 32)
    return f"{text}, {100 * quality.value:.0f} %" if quality else text

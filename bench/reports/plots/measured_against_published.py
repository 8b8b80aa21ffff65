"""Measured and published GPU energy of the same models, with the boundary of each study."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.analysis.published_results import PublishedResult, find_published_results
from bench.reports import plot_data, plot_style
from bench.results.formatting import format_number, printable
from bench.results.record import Result

SCOPE = "task"
MOST_STUDIES = 8
PUBLISHED = "#4b4a8f"  # colour of published figures
ResultAndPublished = tuple[plot_data.PlotPoint, list[PublishedResult]]


@plot_style.plot_context()
def draw(results: Sequence[Result]) -> Figure:
    """The measured results of one task with published figures.

    Both sides are GPU energy alone. The same model comes before others of its architecture; at
    most eight figures a result. Raises ValueError if no figure is published for any of them.
    """
    task, points = plot_data.task_points(results)
    pairs = _with_published(points)
    points = [point for point, _ in pairs]
    energies = [kwh for _, rows in pairs for item in rows for kwh in _energies(item)]
    count = sum(1 + len(rows) for _, rows in pairs)
    figure, axes = plot_style.canvas(2.9 + 0.4 * (count + 0.6 * len(pairs)))
    plot_style.energy_axis(axes, "x", (min(energies), max(energies)), pad=0.12)
    y, ticks = 0.0, []
    for point, rows in pairs:
        ticks.append((y, f"{plot_data.model_name(point.result, 30)} (this result)"))
        _draw_measured(axes, point, rows[0], y)
        for item in rows:
            y -= 1
            study = item.row.study.title.partition(",")[0].removesuffix(" leaderboard")
            ticks.append((y, f"{study}, {item.row.model.rpartition('/')[2]}"[:52]))
            _draw_published(axes, item, y)
        y -= 1.6
    axes.set_ylim(y + 1.0, 0.7)
    plot_style.name_rows(axes, [(at, printable(text)) for at, text in ticks])
    axes.tick_params(axis="y", labelsize=9.5)
    studies = {item.row.study.key: item.row.study for _, rows in pairs for item in rows}
    boundaries = [f"□ {study.title}: {study.boundary}" for study in studies.values()]
    legend = "Bar: 95 % interval of the measured trials."
    foot = plot_data.footer(points, legend, boundaries)
    subtitle = "GPU energy. Square: published, no interval stated. Right: measured / published"
    title = f"{task}: measured and published"
    return plot_style.add_titles(figure, title, subtitle, points, foot)


def _with_published(points: Sequence[plot_data.PlotPoint]) -> list[ResultAndPublished]:
    pairs = []
    for point in points:
        rows = [item for item in find_published_results(point.result) if item.ratio is not None]
        if rows:
            pairs.append((point, rows[:MOST_STUDIES]))
    if not pairs:
        raise ValueError("no figure is published for any of these models")
    return pairs


def _energies(item: PublishedResult) -> list[float]:
    measured = item.measured_kwh_per_1000
    ends = [measured.low, measured.high] if measured else []
    return [item.row.gpu_energy_kwh_per_1000, *ends]


def _draw_measured(axes: Axes, point: plot_data.PlotPoint, item: PublishedResult, y: float) -> None:
    measured = item.measured_kwh_per_1000
    if measured is not None:
        interval = (measured.low, measured.high)
        axes.plot(interval, (y, y), color=plot_data.MEASURED, linewidth=3.5)
        axes.plot([measured.value], [y], **plot_style.marker_style(point))


def _draw_published(axes: Axes, item: PublishedResult, y: float) -> None:
    mark = plot_style.mark("s", PUBLISHED, filled=False)
    axes.plot([item.row.gpu_energy_kwh_per_1000], [y], **mark)
    if item.ratio is not None:
        text = f"{format_number(item.ratio.value, 3)} ×"
        axes.text(1.01, y, text, transform=axes.get_yaxis_transform(), va="center_baseline")

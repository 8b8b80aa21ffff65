"""Our GPU energy beside what others published of the same models, with the study of each."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.analysis.published_results import PublishedResult, find_published_results
from bench.reports import plot_data, plot_style
from bench.results.formatting import format_number, printable
from bench.results.record import Result

SCOPE = "task"
MOST = 8
THEIRS = "#4b4a8f"
Band = tuple[plot_data.PlotPoint, list[PublishedResult]]


@plot_style.styled
def draw(results: Sequence[Result], *, task: str | None = None) -> Figure:
    """The measured results of one task (by default that of the first) that have a precedent.

    GPU energy alone on both sides; of the same model before others of its architecture, eight at
    most. Raises ValueError if nobody published a figure for any of them.
    """
    chosen = task or (results[0].task.id if results else "")
    bands = _bands([result for result in results if result.task.id == chosen])
    energies = [e for _, found in bands for item in found for e in _both(item)]
    rows = sum(1 + len(found) for _, found in bands)
    figure, axes = plot_style.canvas(2.9 + 0.4 * (rows + 0.6 * len(bands)))
    plot_style.energy_axis(axes, "x", *plot_style.log_range(min(energies), max(energies), pad=0.12))
    y, ticks = 0.0, []
    for point, found in bands:
        ticks.append((y, f"{plot_data.name(point.result, 30)} (ours)"))
        _ours(axes, point, found[0], y)
        for item in found:
            y -= 1
            study = item.row.study.title.partition(",")[0].removesuffix(" leaderboard")
            ticks.append((y, f"{study}, {item.row.model.rpartition('/')[2]}"[:52]))
            _theirs(axes, item, y)
        y -= 1.6
    axes.set_ylim(y + 1.0, 0.7)
    axes.set_yticks([at for at, _ in ticks], [printable(text) for _, text in ticks])
    axes.tick_params(axis="y", length=0, pad=10, labelsize=9.5)
    title = f"{chosen}: ours against published"
    foot = _foot([point for point, _ in bands], [item for _, found in bands for item in found])
    text = "GPU energy alone. Square: as published, no interval stated. Right: ours over theirs"
    return plot_style.finish(figure, title, text, [point for point, _ in bands], foot)


def _bands(results: Sequence[Result]) -> list[Band]:
    found = []
    for result in results:
        fitting = [item for item in find_published_results(result) if item.ratio is not None][:MOST]
        if fitting:
            found.append((plot_data.points([result])[0], fitting))
    if not found:
        raise ValueError("nobody published a figure for any of these")
    return sorted(found, key=lambda band: band[0].value)


def _both(item: PublishedResult) -> list[float]:
    ours = item.ours_kwh_per_1000
    return [item.row.gpu_energy_kwh_per_1000, *([ours.low, ours.high] if ours else [])]


def _ours(axes: Axes, point: plot_data.PlotPoint, item: PublishedResult, y: float) -> None:
    ours = item.ours_kwh_per_1000
    if ours is None:
        return
    axes.plot((ours.low, ours.high), (y, y), color=plot_style.MEASURED, linewidth=3.5)
    axes.plot([ours.value], [y], **plot_style.dot(point))


def _theirs(axes: Axes, item: PublishedResult, y: float) -> None:
    axes.plot(
        [item.row.gpu_energy_kwh_per_1000],
        [y],
        marker="s",
        markersize=6.5,
        markerfacecolor=plot_style.PAPER,
        markeredgecolor=THEIRS,
        markeredgewidth=1.8,
        linestyle="none",
        zorder=4,
    )
    if item.ratio is not None:
        text = f"{format_number(item.ratio.value, 3)} ×"
        axes.text(1.01, y, text, transform=axes.get_yaxis_transform(), va="center_baseline")


def _foot(points: Sequence[plot_data.PlotPoint], found: Sequence[PublishedResult]) -> str:
    """What is drawn, then each study's boundary: a figure goes nowhere without it."""
    studies = {item.row.study.key: item.row.study for item in found}
    theirs = [f"□ {study.title}: {study.boundary}" for study in studies.values()]
    lines = plot_data.footer(points).splitlines()
    when = lines[-1].rpartition("JouleBench, ")[2]
    return "\n".join(
        [*lines[:-1], *theirs, f"Bar: 95 % interval of our trials. JouleBench, {when}"]
    )

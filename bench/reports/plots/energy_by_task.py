"""Energy per 1,000 inferences by task, on a logarithmic axis, beside phone charges."""

from __future__ import annotations

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.impact import equivalences
from bench.reports import plot_data, plot_style
from bench.results.record import Result

SCOPE = "all"
ROWS_A_TASK = 12


@plot_style.styled
def draw(results: Sequence[Result], *, edition: str = equivalences.DEFAULT_EDITION) -> Figure:
    """Every result with an energy, in a band for each task; the least costly task on top.

    `edition` names the phone charge of the upper axis. Raises ValueError if nothing has an energy.
    """
    found = plot_data.points(results)
    tasks = list(dict.fromkeys(point.result.task.id for point in found))
    rows = {t: [point for point in found if point.result.task.id == t] for t in tasks}
    height = sum(min(len(band), ROWS_A_TASK) + 1 for band in rows.values())
    figure, axes = plot_style.canvas(2.9 + 0.36 * height)
    plot_style.energy_axis(axes, "x", *plot_style.log_range(*plot_data.ends(found), pad=0.14))
    plot_style.phone_axis(axes, edition)
    spots = _bands(axes, rows)
    plot_style.finish(figure, "What 1,000 inferences take", "Energy by task and model", found)
    plot_style.label(axes, spots)
    return figure


def _bands(
    axes: Axes, rows: dict[str, list[plot_data.PlotPoint]]
) -> list[tuple[float, float, float, str]]:
    """Draw the bands from the top down; gives what is to be labelled."""
    y, centres, spots = 0.0, [], []
    for task, band in rows.items():
        step = min(1.0, ROWS_A_TASK / len(band))
        first = y
        for point in band:
            plot_style.mark(axes, point, y)
            text = f"{plot_data.name(point.result)} · {plot_data.device(point.result)}"
            if step == 1.0 or point in (band[0], band[-1]):
                left, right = plot_data.outer(point)
                spots.append((max(left, axes.get_xlim()[0]), right, y, text))
            y -= step
        centres.append(((first + y + step) / 2, task))
        if len(centres) < len(rows):
            axes.axhline(y + step - 1.0, color=plot_style.LINE, linewidth=0.8)
        y += step - 2.0
    axes.set_ylim(y + 1.2, 0.8)
    axes.set_yticks([centre for centre, _ in centres], [task for _, task in centres])
    axes.tick_params(axis="y", length=0, pad=10)
    return spots

"""Energy per 1,000 inferences by task, on a logarithmic axis, with phone charges on top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.impact import equivalences
from bench.reports import plot_data, plot_style
from bench.results.record import Result

SCOPE = "all"
ROWS_A_TASK = 12


@plot_style.plot_context()
def draw(results: Sequence[Result], *, edition: str = equivalences.DEFAULT_EDITION) -> Figure:
    """Every result with an energy, in a band for each task, the task of the lowest energy first.

    `edition` selects the phone charge of the upper axis. Raises ValueError if none has an energy.
    """
    points = plot_data.plot_points(results)
    bands: dict[str, list[plot_data.PlotPoint]] = {}
    for point in points:
        bands.setdefault(point.result.task.id, []).append(point)
    rows = sum(min(len(band), ROWS_A_TASK) + 1 for band in bands.values())
    figure, axes = plot_style.canvas(2.9 + 0.36 * rows)
    plot_style.energy_axis(axes, "x", plot_data.energy_range(points), pad=0.14)
    plot_style.phone_axis(axes, edition)
    spots = _draw_bands(axes, bands)
    title = "Energy of 1,000 inferences"
    plot_style.add_titles(figure, title, "Energy by task and model", points)
    plot_style.label_points(axes, spots)
    return figure


def _draw_bands(
    axes: Axes, bands: Mapping[str, Sequence[plot_data.PlotPoint]]
) -> list[plot_style.LabelSpot]:
    """Draw the bands from the top down. In a band of more rows only its ends are labelled."""
    y = 0.0
    centres: list[tuple[float, str]] = []
    spots: list[plot_style.LabelSpot] = []
    for task, band in bands.items():
        step = min(1.0, ROWS_A_TASK / len(band))
        top = y
        for point in band:
            plot_style.draw_point(axes, point, y)
            if step == 1.0 or point in (band[0], band[-1]):
                name = plot_data.model_name(point.result)
                device = plot_data.device_name(point.result)
                left, right = point.calibrated_range
                spots.append((max(left, axes.get_xlim()[0]), right, y, f"{name} · {device}"))
            y -= step
        centres.append(((top + y + step) / 2, task))
        if len(centres) < len(bands):
            axes.axhline(y + step - 1.0, color=plot_style.LINE, linewidth=0.8)
        y += step - 2.0
    axes.set_ylim(y + 1.2, 0.8)
    plot_style.name_rows(axes, centres)
    return spots

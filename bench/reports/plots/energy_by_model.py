"""Energy per 1,000 inferences of the models of one task, lowest first, in comparable groups."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from matplotlib.figure import Figure

from bench.impact import equivalences
from bench.reports import plot_data, plot_style
from bench.results import views
from bench.results.formatting import energy_text, printable
from bench.results.record import Result

SCOPE = "task"
HEADING: Any = {"fontsize": 9.5, "color": plot_style.SOFT, "bbox": plot_style.BEHIND}


@plot_style.plot_context()
def draw(results: Sequence[Result], *, edition: str = equivalences.DEFAULT_EDITION) -> Figure:
    """The results of one task, one row each.

    Results with the same device, boundary and data set form a group with a heading. `edition`
    selects the phone charge of the upper axis. Raises ValueError if none has an energy.
    """
    task, points = plot_data.task_points(results)
    groups: dict[str, list[plot_data.PlotPoint]] = {}
    for point in points:
        groups.setdefault(_heading(point), []).append(point)
    figure, axes = plot_style.canvas(2.9 + 0.42 * (len(points) + 1.25 * len(groups)))
    plot_style.energy_axis(axes, "x", plot_data.energy_range(points), pad=0.1)
    plot_style.phone_axis(axes, edition)
    y, ticks = 0.0, []
    across = axes.get_yaxis_transform()
    for heading, members in groups.items():
        note = axes.text(0.0, y, heading, transform=across, va="center", **HEADING)
        note.set_in_layout(False)
        for point in members:
            y -= 1
            plot_style.draw_point(axes, point, y)
            text = energy_text(point.value, 3)
            axes.text(1.01, y, text, transform=across, va="center_baseline")
            ticks.append((y, plot_data.model_name(point.result)))
        y -= 1.4
    axes.set_ylim(y + 0.7, 0.6)
    plot_style.name_rows(axes, ticks)
    title = f"{task}: energy of 1,000 inferences"
    return plot_style.add_titles(figure, title, "Energy by model", points)


def _heading(point: plot_data.PlotPoint) -> str:
    result = point.result
    devices = textwrap.shorten(printable(", ".join(views.device_labels(result))), 50)
    kind = "modelled" if point.modelled else "measured"
    dataset = printable(result.task.dataset)[:20]
    return f"{devices} · {views.boundary_label(result)}, {kind} · {dataset} data"

"""Energy per 1,000 inferences of the models of one task, least first, equals together."""

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


@plot_style.styled
def draw(
    results: Sequence[Result],
    *,
    task: str | None = None,
    edition: str = equivalences.DEFAULT_EDITION,
) -> Figure:
    """The results of one task (by default that of the first), one row each.

    Results that can be compared stand together under the name of their device and boundary.
    Raises ValueError if none of them has an energy.
    """
    chosen = task or (results[0].task.id if results else "")
    found = plot_data.points(result for result in results if result.task.id == chosen)
    groups: dict[str, list[plot_data.PlotPoint]] = {}
    for point in found:
        groups.setdefault(_heading(point), []).append(point)
    height = len(found) + 1.25 * len(groups)
    figure, axes = plot_style.canvas(2.9 + 0.42 * height)
    low, high = plot_style.log_range(*plot_data.ends(found), pad=0.1)
    plot_style.energy_axis(axes, "x", low, high)
    plot_style.phone_axis(axes, edition)
    y, ticks = 0.0, []
    for heading, members in groups.items():
        note = axes.text(0.0, y, heading, transform=axes.get_yaxis_transform(), **_small())
        note.set_in_layout(False)
        for point in members:
            y -= 1
            plot_style.mark(axes, point, y)
            value = energy_text(point.value, 3)
            axes.text(1.01, y, value, transform=axes.get_yaxis_transform(), va="center_baseline")
            ticks.append((y, plot_data.name(point.result)))
        y -= 1.4
    axes.set_ylim(y + 0.7, 0.6)
    axes.set_yticks([y for y, _ in ticks], [text for _, text in ticks])
    axes.tick_params(axis="y", length=0, pad=10)
    title = f"{chosen}: what 1,000 inferences take"
    return plot_style.finish(figure, title, "Energy by model", found)


def _heading(point: plot_data.PlotPoint) -> str:
    result = point.result
    where = textwrap.shorten(printable(", ".join(views.device_labels(result))), 50)
    kind = "modelled" if point.modelled else "measured"
    data = printable(result.task.dataset)[:20]
    return f"{where} · {views.boundary_label(result)}, {kind} · {data} data"


def _small() -> dict[str, Any]:
    return {"fontsize": 9.5, "color": plot_style.SOFT, "va": "center", "bbox": plot_style.BEHIND}

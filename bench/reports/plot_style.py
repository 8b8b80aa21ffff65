"""The style of all plots: fonts, colours, filled and hollow marks, axes, titles, labels."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib import rc_context, rc_params_from_file
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FixedLocator, FuncFormatter, NullFormatter, NullLocator
from matplotlib.transforms import Bbox

from bench.impact import equivalences
from bench.reports.plot_data import MEASURED, MODELLED, PlotPoint, caption, footer
from bench.results.formatting import energy_text, format_number

INK, SOFT, LINE, PAPER = "#1d1c1a", "#6b675f", "#dcd8cf", "#ffffff"
LabelSpot = tuple[float, float, float, str]  # left, right and y of a point, and its label
BEHIND = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
STYLE = rc_params_from_file(Path(__file__).with_name("plots.mplstyle"), use_default_template=False)


@contextmanager
def plot_context() -> Iterator[None]:
    """Apply this style, and draw a character that the font lacks as a box, without a warning."""
    with rc_context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def canvas(height: float, width: float = 9.0) -> tuple[Figure, Axes]:
    """A figure of this size in inches with one pair of axes."""
    figure, (axes,) = stacked_canvas(height, [1.0], width)
    return figure, axes


def stacked_canvas(
    height: float, ratios: Sequence[float], width: float = 9.0
) -> tuple[Figure, list[Axes]]:
    """A figure of this size in inches with axes below one another, of heights in these ratios."""
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, [*figure.subplots(len(ratios), squeeze=False, height_ratios=ratios)[:, 0]]


def draw_point(axes: Axes, point: PlotPoint, y: float) -> None:
    """A mark at (energy, y): bold bar for the interval, thin line with calibration uncertainty."""
    color = colour(point)
    axes.plot(point.calibrated_range, (y, y), color=color, linewidth=1, alpha=0.5, zorder=2)
    interval = (point.low, point.high)
    axes.plot(interval, (y, y), color=color, linewidth=3.5, solid_capstyle="butt", zorder=3)
    axes.plot([point.value], [y], **marker_style(point))


def colour(point: PlotPoint) -> str:
    """The colour of measured or of modelled energy."""
    return MODELLED if point.modelled else MEASURED


def marker_style(point: PlotPoint) -> dict[str, Any]:
    """Keywords of a mark: a filled circle if measured, a hollow diamond if modelled."""
    return mark("D" if point.modelled else "o", colour(point), filled=not point.modelled)


def mark(shape: str, color: str, filled: bool) -> dict[str, Any]:
    """Keywords of a filled or a hollow mark; `shape` as matplotlib names it, such as "o"."""
    return {
        "marker": shape,
        "markersize": 8 if filled else 6.5,
        "markerfacecolor": color if filled else PAPER,
        "markeredgecolor": color,
        "markeredgewidth": 1.8,
        "color": color,
        "linestyle": "none",
        "zorder": 4,
    }


def log_range(low: float, high: float, pad: float = 0.08) -> tuple[float, float]:
    """Limits of a logarithmic axis around two values, never less than half a decade wide."""
    ratio = max(high / low, 10**0.5)
    middle = (low * high) ** 0.5
    reach = ratio ** (0.5 + pad)
    return middle / reach, middle * reach


def log_ticks(low: float, high: float) -> list[float]:
    """Round values inside a logarithmic axis: decades, or 1, 2, 5 where it is short."""
    steps = (1, 2, 5) if high / low < 100 else (1,)
    marks = [step * 10.0**e for e in range(-15, 16) for step in steps]
    inside = [mark for mark in marks if low <= mark <= high]
    return inside[:: 1 + len(inside) // 9]


def energy_axis(axes: Axes, which: str, energies: tuple[float, float], pad: float) -> None:
    """A logarithmic energy axis, "x" or "y", around two energies in kWh."""
    log_axis(axes, which, *log_range(*energies, pad), energy_text)
    axes.set(**{f"{which}label": "energy per 1,000 inferences"})


def log_axis(
    axes: Axes, which: str, low: float, high: float, label: Callable[[float], str]
) -> None:
    """A logarithmic axis, "x" or "y", with round ticks; `label` formats their values."""
    axes.set(**{f"{which}scale": "log", f"{which}lim": (low, high)})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(FixedLocator(log_ticks(low, high)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: label(value)))
    axis.set_minor_locator(NullLocator())
    axis.set_minor_formatter(NullFormatter())


def phone_axis(axes: Axes, edition: str) -> None:
    """A second axis on top that counts phone charges of an edition, and a line at one charge."""
    fact = equivalences.phone_charge(edition)
    size: Any = fact.value
    low, high = axes.get_xlim()
    top = axes.secondary_xaxis(
        "top", functions=(lambda kwh: kwh / size, lambda charges: charges * size)
    )
    ticks = log_ticks(low / fact.value, high / fact.value)
    top.xaxis.set_major_locator(FixedLocator(ticks))
    top.xaxis.set_major_formatter(FuncFormatter(lambda value, _: format_number(value, 1)))
    top.xaxis.set_minor_locator(NullLocator())
    top.set_xlabel(f"phone charges, {fact.value:g} kWh each ({fact.edition})")
    top.spines["top"].set_visible(False)
    for charges in ticks:
        width, colour = (1.6, SOFT) if charges == 1 else (0.9, "#b9b4a8")
        dash = (0, (2, 3))
        axes.axvline(charges * size, color=colour, linewidth=width, linestyle=dash, zorder=1)


def linear_axis(axes: Axes, which: str, high: float) -> None:
    """An axis from zero to `high`, with ticks inside it alone."""
    axis = axes.xaxis if which == "x" else axes.yaxis
    axes.set(**{f"{which}lim": (0, high)})
    ticks = [tick for tick in axis.get_ticklocs() if 0 <= tick <= high]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def plain_ticks(axes: Axes, grid: str) -> None:
    """Ticks without marks, labels in grey, and grid lines of the axis `grid`, "x" or "y"."""
    axes.tick_params(axis="both", length=0, pad=6, labelcolor=SOFT)
    axes.grid(axis=grid, color=LINE, linewidth=0.8)  # type: ignore[arg-type]


def name_rows(axes: Axes, ticks: Iterable[tuple[float, str]]) -> None:
    """Names of rows left of the axes, given as (y, name)."""
    axes.set_yticks(*zip(*ticks, strict=True))
    axes.tick_params(axis="y", length=0, pad=10)


def draw_legend(axes: Axes, colours: Mapping[str, str], columns: int = 4) -> None:
    """A legend above the axes: the name of each colour."""
    axes.legend(
        handles=[Patch(color=color, label=name) for name, color in colours.items()],
        loc="lower left",
        bbox_to_anchor=(0.0, 1.0),
        ncols=columns,
        frameon=False,
        fontsize=9.5,
        handlelength=1.1,
        borderaxespad=0.2,
    )


def add_titles(
    figure: Figure, title: str, subtitle: str, points: Sequence[PlotPoint], foot: str | None = None
) -> Figure:
    """Add title, subtitle and footer around the axes; the figure's label keeps its numbers."""
    height = figure.get_size_inches()[1]
    lines = [
        part for line in (foot or footer(points)).splitlines() for part in textwrap.wrap(line, 112)
    ]
    bottom = (0.30 + 0.195 * len(lines)) / height
    top = 0.92 / height
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.set(rect=(0.015, bottom, 0.97, 1 - bottom - top))  # type: ignore[call-arg]
    figure.text(0.02, 1 - 0.2 / height, title, fontsize=17, fontweight="bold", va="top")
    figure.text(0.02, 1 - 0.57 / height, subtitle, fontsize=11, color=SOFT, va="top")
    text = "\n".join(lines)
    figure.text(0.02, 0.12 / height, text, fontsize=9, color=SOFT, va="bottom", linespacing=1.4)
    figure.set_label(caption(title, points))
    return figure


def label_points(axes: Axes, spots: Sequence[LabelSpot], reach: float = 9.0) -> None:
    """Label points, given as (left, right, y, label) in data units.

    A label is placed right, left, above or below, where it covers no other; if all four are taken
    it is left out. `reach` is its distance in points of type.
    """
    axes.get_figure(root=True).draw_without_rendering()  # type: ignore[union-attr]
    inside = axes.get_window_extent()
    ends = [axes.transData.transform((x, y)) for a, b, y, _ in spots for x in (a, b)]
    taken = [Bbox.from_bounds(x - 8, y - 8, 16, 16) for x, y in ends]
    for left, right, y, text in spots:
        middle = (left * right) ** 0.5
        places = (
            (right, (reach, 0), "left", "center_baseline"),
            (left, (-reach, 0), "right", "center_baseline"),
            (middle, (0, reach), "center", "bottom"),
            (middle, (0, -reach), "center", "top"),
        )
        for x, offset, across, along in places:
            note = axes.annotate(
                text,
                (x, y),
                xytext=offset,
                textcoords="offset points",
                ha=across,
                va=along,
                fontsize=9.5,
                annotation_clip=False,
                bbox=BEHIND,
            )
            note.set_in_layout(False)
            box = note.get_window_extent()
            within = inside.containsx(box.x0) and inside.containsx(box.x1)
            if within and not box.count_overlaps(taken):
                taken.append(box)
                break
            note.remove()

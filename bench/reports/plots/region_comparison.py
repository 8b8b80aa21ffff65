"""CO2e of the same work in several regions, one pair of axes for each basis of grid factors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.impact import region_comparison, regions
from bench.impact.region_comparison import RegionComparison, RegionImpact
from bench.reports import plot_data, plot_style
from bench.results import views
from bench.results.formatting import format_number, mass_unit, printable, unit_plural
from bench.results.record import Result

SCOPE = "result"
REGIONS = ("SE", "FR", "CA", "BR", "GB", "DE", "US", "world", "JP", "CN", "PL", "IN", "ZA")


@plot_style.plot_context()
def draw(results: Sequence[Result], *, among: Sequence[str] = REGIONS) -> Figure:
    """1,000 inferences of the first result in these regions, lowest CO2e first.

    Raises ValueError if there is no result, or it has no energy.
    """
    point = plot_data.single_point(results)
    energy = views.headline_energy(point.result)
    assert energy is not None, "a point has an energy"
    low, high = point.calibrated_range
    candidates = [regions.find(name) for name in among]
    energy = energy.model_copy(update={"low": low, "high": high})
    panels = [
        region_comparison.compare_regions(energy, candidates, basis)
        for basis in region_comparison.bases_to_rank(candidates)
    ]
    marker = plot_style.marker_style(point)
    figure = _draw_panels(panels, len(among), "per 1,000", marker)
    title = f"1,000 {unit_plural(point.result.task.unit)} by region"
    legend = "Line: 95 % interval with calibration uncertainty, which moves all rows together."
    date = f"JouleBench, {point.result.created_at[:10]}"
    foot = f"{plot_data.boundaries([point])[0]}. {legend}\n{_foot(panels)} {date}"
    plot_style.add_titles(figure, title, plot_data.subtitle(point), [point], foot)
    figure.set_label(f"{plot_data.caption(title, [point])}\n{_numbers(panels)}")
    return figure


@plot_style.plot_context()
def draw_comparisons(panels: Sequence[RegionComparison], work: str, rows: int) -> Figure:
    """Any comparison, such as that of a number of kWh: the first regions and the last three."""
    title = "The same work by region"
    marker = plot_style.mark("o", plot_data.MEASURED, filled=True)
    figure = _draw_panels(panels, rows, "", marker)
    plot_style.add_titles(figure, title, printable(work), [], _foot(panels))
    figure.set_label(f"{title}\n{work}\n{_numbers(panels)}")
    return figure


def _draw_panels(
    panels: Sequence[RegionComparison], rows: int, per: str, marker: dict[str, Any]
) -> Figure:
    """One pair of axes for each basis; regions without a rank are not drawn, where others are."""
    shown = [
        region_comparison.first_and_last(panel.places or panel.borrowed, rows) for panel in panels
    ]
    heights = [1 + 0.36 * len(places) for places in shown]
    figure, axes = plot_style.stacked_canvas(1.6 + sum(heights), heights)
    for panel, places, pair in zip(panels, shown, axes, strict=True):
        _draw_panel(pair, panel.basis if len(panels) > 1 else "", places, per, marker)
    return figure


def _draw_panel(
    axes: Axes, basis: str, shown: list[RegionImpact], per: str, marker: dict[str, Any]
) -> None:
    lowest = shown[0].grams
    low = min(max(impact.grams.low, impact.grams.value / 5) for impact in shown)
    high = max(impact.grams.high for impact in shown)
    plot_style.log_axis(axes, "x", *plot_style.log_range(low, high), _mass)
    ticks: dict[int, str] = {}
    for index, impact in enumerate(shown):
        gap = (impact.rank or index + 1) - index - 1
        if gap and -index not in ticks:
            ticks[-index] = f"… {gap} more"
        y = -index - bool(gap)
        ticks[y] = _name(impact)
        _draw_region(axes, impact, y, marker, lowest.value)
    unit = f"{lowest.unit.removeprefix('g')} {per}".strip()
    axes.set_xlabel(f"{unit}, {basis}" if basis else unit)
    axes.set_ylim(min(ticks) - 0.6, 0.6)
    plot_style.name_rows(axes, ticks.items())
    axes.grid(axis="x", color=plot_style.LINE, linewidth=0.8)


def _draw_region(
    axes: Axes, impact: RegionImpact, y: float, marker: dict[str, Any], lowest: float
) -> None:
    """A mark with its interval; right of the axes its mass and its ratio to the lowest."""
    grams = impact.grams
    interval = (max(grams.low, grams.value / 1e6), grams.high)
    axes.plot(interval, (y, y), color=marker["color"], linewidth=1.4, alpha=0.6, zorder=2)
    axes.plot([grams.value], [y], **marker)
    ratio = f"{format_number(grams.value / lowest, 2)} ×" if lowest > 0 else ""
    right: Any = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
    for x, text in ((70, _mass(grams.value)), (118, ratio)):
        axes.annotate(text, (1, y), xytext=(x, 0), ha="right", va="center_baseline", **right)


def _name(impact: RegionImpact) -> str:
    return impact.region.label + ("" if impact.rank else " *")


def _mass(grams: float) -> str:
    """Grams as "33 mg", "8.3 g", "2.1 kg" or "5.0 t"."""
    name, size = mass_unit(grams * (1 + 1e-9))
    return f"{format_number(grams / size, 2).removesuffix('.0')} {name}"


def _foot(panels: Sequence[RegionComparison]) -> str:
    places = [place for panel in panels for place in panel.places or panel.borrowed]
    years = sorted({place.factor.edition for place in places})
    period = years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"
    sources = ", ".join(dict.fromkeys(p.factor.source.split(",")[0] for p in places))
    licences = ", ".join(dict.fromkeys(p.factor.licence for p in places))
    bases = " and ".join(panel.basis for panel in panels)
    several = ": not comparable with one another" if len(panels) > 1 else ""
    text = f"Location-based, yearly average, {bases}{several}, {period}. "
    unranked = len(panels[0].borrowed)
    if unranked and panels[0].places:
        text += f"Not drawn: {unranked} without a {panels[0].basis} factor of their own. "
    elif unranked:
        text += "* the factor of a larger place, not ranked. "
    return f"{text}Grids: {sources} ({licences})."


def _numbers(panels: Sequence[RegionComparison]) -> str:
    """The numbers as text, saved in the file for readers who cannot see the plot."""
    return "\n".join(
        f"{_name(place)}, {panel.basis}: {_mass(place.grams.value)} "
        f"({_mass(place.grams.low)} to {_mass(place.grams.high)})"
        for panel in panels
        for place in (*panel.places, *panel.borrowed)
    )

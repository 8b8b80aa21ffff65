"""The same work in other places: grams of CO2e by region, all of one basis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.impact import region_comparison, regions
from bench.impact.region_comparison import RegionComparison, RegionImpact
from bench.reports import plot_data, plot_style
from bench.results import views
from bench.results.formatting import format_number, mass_unit, printable, unit_plural
from bench.results.record import Result

SCOPE = "result"
USUAL = ("SE", "FR", "CA", "BR", "GB", "DE", "US", "world", "JP", "CN", "PL", "IN", "ZA")
DOT = {
    "marker": "o",
    "markersize": 8,
    "linestyle": "none",
    "color": plot_style.MEASURED,
    "zorder": 4,
}


@plot_style.styled
def draw(results: Sequence[Result], *, among: Sequence[str] = USUAL) -> Figure:
    """The first result's 1,000 inferences in these regions, least first.

    Raises ValueError if it has no energy.
    """
    if not results:
        raise ValueError("no result to draw")
    (point,) = plot_data.points(results[:1])
    low, high = plot_data.outer(point)
    energy = views.headline_energy(point.result)
    assert energy is not None, "a point has an energy"
    whole = energy.model_copy(update={"low": low, "high": high})
    asked = [regions.find(name) for name in among]
    comparison = region_comparison.compare_regions(
        whole, asked, region_comparison.common_basis(asked)
    )
    kind = "modelled, not measured" if point.modelled else "measured"
    things = unit_plural(point.result.task.unit)
    who = f"{point.result.task.id} · {plot_data.name(point.result, 60)}"
    title = f"1,000 {things}, place by place"
    subtitle = f"{who} · energy {kind}"
    figure = _figure(comparison, len(among), "per 1,000", plot_style.dot(point))
    first = plot_data.footer([point]).splitlines()[0]
    line = "Line: 95 % interval with the scale error, which moves all rows together."
    when = f"JouleBench, {point.result.created_at[:10]}"
    foot = f"{first}. {line}\n{_foot(comparison)} {when}"
    plot_style.finish(figure, title, subtitle, [point], foot)
    figure.set_label(f"{plot_data.caption(title, [point])}\n{_numbers(comparison)}")
    return figure


def picture(comparison: RegionComparison, work: str, rows: int) -> Figure:
    """Any comparison, such as that of a number of kWh: the first regions and the last three."""
    with rc_context(plot_style.STYLE), plot_style.quiet():
        title = "The same work, place by place"
        figure = _figure(comparison, rows, "", DOT)
        plot_style.finish(figure, title, printable(work), [], _foot(comparison))
        figure.set_label(f"{title}\n{work}\n{_numbers(comparison)}")
        return figure


def _figure(comparison: RegionComparison, rows: int, per: str, dot: dict[str, Any]) -> Figure:
    shown = region_comparison.first_and_last(comparison.places, rows)
    figure, axes = plot_style.canvas(2.6 + 0.36 * len(shown))
    values = [place.grams.value for _, place in shown]
    low = min(max(place.grams.low, place.grams.value / 5) for _, place in shown)
    left, right = plot_style.log_range(low, max(place.grams.high for _, place in shown))
    plot_style.log_axis(axes, "x", left, right, _mass)
    ticks: dict[int, str] = {}
    for index, (rank, place) in enumerate(shown):
        gap = rank - index - 1
        if gap and -index not in ticks:
            ticks[-index] = f"… {gap} more"
        y = -index - bool(gap)
        ticks[y] = _name(place)
        _mark(axes, place, y, dot, values[0])
    unit = shown[0][1].grams.unit.removeprefix("g")
    axes.set_xlabel(f"{unit} {per}".strip(), labelpad=8)
    axes.set_ylim(min(ticks) - 0.6, 0.6)
    axes.set_yticks([*ticks], [*ticks.values()])
    axes.tick_params(axis="y", length=0, pad=10)
    axes.grid(axis="x", color=plot_style.LINE, linewidth=0.8)
    return figure


def _mark(axes: Axes, place: RegionImpact, y: float, dot: dict[str, Any], least: float) -> None:
    """A dot with its interval; right of the axes its mass, and how many times the least it is."""
    grams = place.grams
    ends = (max(grams.low, grams.value / 1e6), grams.high)
    axes.plot(ends, (y, y), color=dot["color"], linewidth=1.4, alpha=0.6, zorder=2)
    axes.plot([grams.value], [y], **dot)
    times = f"{format_number(grams.value / least, 2)} ×" if least > 0 else ""
    right: Any = {"xycoords": axes.get_yaxis_transform(), "textcoords": "offset points"}
    for x, text in ((70, _mass(grams.value)), (118, times)):
        axes.annotate(text, (1, y), xytext=(x, 0), ha="right", va="center_baseline", **right)


def _name(place: RegionImpact) -> str:
    return place.region.label + (" *" if place.factor_place else "")


def _mass(grams: float) -> str:
    """Grams as "33 mg", "8.3 g", "2.1 kg" or "5.0 t"."""
    name, size = mass_unit(grams * (1 + 1e-9))
    return f"{format_number(grams / size, 2).removesuffix('.0')} {name}"


def _foot(comparison: RegionComparison) -> str:
    places = comparison.places
    years = sorted({place.factor.edition for place in places})
    when = years[0] if len(years) == 1 else f"{years[0]} to {years[-1]}"
    sources = ", ".join(dict.fromkeys(p.factor.source.split(",")[0] for p in places))
    licences = ", ".join(dict.fromkeys(p.factor.licence for p in places))
    footnote = "* the country's. " if any(place.factor_place for place in places) else ""
    basis = f"{footnote}Location-based, yearly average, {comparison.basis}"
    return f"{basis}, {when}. Grids: {sources} ({licences})."


def _numbers(comparison: RegionComparison) -> str:
    """The numbers as text, for readers who can't see the figure."""
    return "\n".join(
        f"{_name(place)}: {_mass(place.grams.value)} "
        f"({_mass(place.grams.low)} to {_mass(place.grams.high)})"
        for place in comparison.places
    )

"""Terminal tables of `joulebench where`: regions by basis, and hours, with bars and sources."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cli._io import print_json
from bench.impact import facts, hourly_profile
from bench.impact.facts import DerivedQuantity
from bench.impact.hourly_profile import DailyProfile
from bench.impact.region_comparison import (
    MACHINES_ALONE,
    RegionComparison,
    RegionImpact,
    first_and_last,
)
from bench.results.formatting import MISSING, format_number, interval_text, mass_unit
from bench.results.interval import Interval, interval_json

BAR_WIDTH = 20
BORROWED_ROWS = 3  # regions without a rank, where there are too many to show


def print_regions(panels: Sequence[RegionComparison], work: str, max_rows: int) -> None:
    """Print one ranking by carbon for each basis, then the regions that borrow its factor."""
    console = Console(highlight=False)
    console.print(f"{work}, by region", markup=False, style="bold")
    if len(panels) > 1:
        text = "Two bases, two rankings: a figure of one is not comparable with one of the other."
        console.print(text, markup=False)
    for panel in panels:
        if panel is not panels[0]:
            console.print()
        _print_panel(console, panel, max_rows)


def print_water(comparison: RegionComparison, work: str, max_rows: int) -> None:
    """Print the ranking by off-site water, then the regions that borrow a larger place's factor."""
    console = Console(highlight=False)
    places = (*comparison.places, *comparison.borrowed)
    ordered = sorted(places, key=lambda place: place.water.off_site.value)
    own = [place for place in ordered if place.region.own_ewif]
    ranked = [replace(place, rank=rank) for rank, place in enumerate(own, start=1)]
    borrowed = [replace(place, rank=None) for place in ordered if not place.region.own_ewif]
    shown = _shown(ranked, borrowed, max_rows)
    console.print(f"{work}, by region", markup=False, style="bold")
    console.print("water, modelled", markup=False)
    table = _table(console, ("off site (EWIF)", "on site (WUE)"))
    _add_rows(table, shown, [_water_cells(place) for place in shown])
    console.print(table)
    uses = [use for p in shown for use in (p.water.off_site, p.water.on_site) if use]
    notes = [_pue_note(shown), "on site: — is unpublished; both are modelled, not metered"]
    if borrowed:
        notes.append(f"* not ranked: {len(borrowed)} without an off-site factor of their own")
    if any(place.water.is_world_default for place in shown):
        default = facts.table("water")["world"].value
        notes.append(f"† by the world's default of {default} L/kWh")
    notes += [f"source: {source}" for source in sorted({use.fact.source for use in uses})]
    console.print("\n".join(notes), markup=False, style="dim")


def region_json(place: RegionImpact, work: str) -> dict[str, Any]:
    """One region of a comparison for JSON."""
    water = place.water
    return {
        "region": place.region.key,
        "label": place.region.label,
        "rank": place.rank,
        "work": work,
        "basis": place.factor.basis,
        "approach": "average",
        "grams_per_kwh": place.factor.value,
        "edition": place.factor.edition,
        "source": place.factor.source,
        "licence": place.factor.licence,
        "borrowed_from": place.factor.borrowed_from,
        "pue": interval_json(place.pue),
        "location_based": _quantity_json(place.grams),
        "market_based": _quantity_json(place.market),
        "water_on_site": _quantity_json(water.on_site),
        "water_off_site": _quantity_json(water.off_site),
        "water_off_site_is_world_default": water.is_world_default,
    }


def print_hours(
    energy_kwh: Interval, work: str, profile: DailyProfile, job_hours: int, as_json: bool
) -> None:
    """Print the hours of a day, best window first, and what the best window saves."""
    ranked = hourly_profile.windows(profile, job_hours)
    if as_json:
        origin = {name: getattr(profile, name) for name in ("approach", "basis", "source")}
        for window in ranked:
            hours = {"start_hour": window.start, "end_hour": window.end}
            grams = energy_kwh * window.intensity
            ends = {"grams_low": grams.low, "grams_high": grams.high}
            per_kwh = {"grams_per_kwh": window.intensity}
            print_json({**hours, "grams": grams.value, **ends, **per_kwh, **origin})
        return
    best, worst = ranked[0], ranked[-1]
    print(f"{work}, {job_hours} h: {profile.approach} carbon intensity, {profile.basis}\n")
    for hour, intensity in enumerate(profile.intensities):
        bar = "█" * round(BAR_WIDTH * intensity / (max(profile.intensities) or 1.0))
        mark = "best" * ((hour - best.start) % hourly_profile.HOURS < job_hours)
        print(f"  {hour:02d}:00  {intensity:7.1f} g/kWh  {bar.ljust(BAR_WIDTH)} {mark}".rstrip())
    for name, window in (("best", best), ("worst", worst)):
        grams = energy_kwh * window.intensity
        unit, size = mass_unit(grams.value)
        mass = interval_text(grams / size, unit)
        print(f"\n{name:<6}{window.start:02d}:00 to {window.end:02d}:00   {mass}", end="")
    saving = 100 * (1 - best.intensity / profile.mean) if profile.mean else 0.0
    print(f"\nThe best is {saving:.0f} % below the mean of the day.  source: {profile.source}")


def _print_panel(console: Console, panel: RegionComparison, max_rows: int) -> None:
    shown = _shown(panel.places, panel.borrowed, max_rows)
    gas = shown[0].grams.unit.removeprefix("g")
    title = f"{gas}: location-based, average over a year, {panel.basis}"
    console.print(title, markup=False)
    with_market = any(place.market for place in shown)
    most = max(place.grams.value for place in shown)
    unit, size = mass_unit(most)
    table = _table(console, (unit, "", *["market-based"] * with_market))
    bar_scale = (BAR_WIDTH // 2 if console.width < 100 else BAR_WIDTH) / (most or 1.0)
    _add_rows(table, shown, [_carbon_cells(place, size, bar_scale) for place in shown])
    console.print(table)
    console.print("\n".join(_notes(panel, shown)), markup=False, style="dim")


def _shown(
    ranked: Sequence[RegionImpact], borrowed: Sequence[RegionImpact], max_rows: int
) -> list[RegionImpact]:
    """The first and last regions with a rank, and those without: all, or few of many."""
    first = first_and_last(ranked, max_rows)
    all_fit = len(first) + len(borrowed) <= max_rows
    return [*first, *(borrowed if all_fit else borrowed[:BORROWED_ROWS])]


def _table(console: Console, columns: Sequence[str]) -> Table:
    """An empty table with a rank, a region and these columns."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("region", no_wrap=True, max_width=30 if console.width < 100 else None)
    for title in columns:
        table.add_column(title, no_wrap=True)
    return table


def _add_rows(
    table: Table, places: Sequence[RegionImpact], cells: Sequence[tuple[str, ...]]
) -> None:
    """A row for each region, with "*" where it has no rank, and the number left out."""
    previous = 0
    for place, of_place in zip(places, cells, strict=True):
        if place.rank is not None and place.rank - previous > 1:
            table.add_row("…", f"{place.rank - previous - 1} more")
        cells_shown = of_place[: len(table.columns) - 2]
        table.add_row(str(place.rank or "*"), place.region.label, *cells_shown)
        previous = place.rank or previous


def _carbon_cells(place: RegionImpact, size: float, bar_scale: float) -> tuple[str, ...]:
    """Mass, a bar, and the market-based mass; a dash where none is published."""
    market = MISSING if place.market is None else format_number(place.market.value / size, 2)
    bar = "█" * max(1, round(bar_scale * place.grams.value))
    return _two_digits(place.grams / size), bar, market


def _water_cells(place: RegionImpact) -> tuple[str, ...]:
    """Water off site and on site with the range of its sources; a dash where none is published."""
    off_site, on_site = place.water.off_site, place.water.on_site
    mark = " †" * place.water.is_world_default
    return _litres(off_site) + mark, MISSING if on_site is None else _litres(on_site)


def _litres(water: DerivedQuantity) -> str:
    unit, size = ("L", 1.0) if water.value >= 0.1 else ("mL", 1e-3)
    return f"{_two_digits(water / size)} {unit}"


def _two_digits(figure: Interval) -> str:
    return format_number(figure.value, 2) if figure.exact else interval_text(figure, digits=2)


def _notes(panel: RegionComparison, shown: Sequence[RegionImpact]) -> list[str]:
    """The PUE, the meaning of the marks, the omitted regions, and the sources."""
    years = sorted({place.factor.edition for place in shown})
    notes = [f"{_pue_note(shown)}; factors of {_range(years)}"]
    lenders = sorted({place.factor.borrowed_from or "" for place in panel.borrowed})
    if lenders:
        count = len(panel.borrowed)
        text = f"* not ranked: {count} without a {panel.basis} factor of their own; that of "
        notes.append(f"{text}{', '.join(lenders)} is shown")
    if any(place.market for place in shown):
        notes.append("market-based: counts the electricity that the provider buys, as it reports")
    if panel.omitted:
        notes.append(f"without a factor of this basis: {len(panel.omitted)}")
    sources = dict.fromkeys(f"{p.factor.source} ({p.factor.licence})" for p in shown)
    return notes + [f"source: {source}" for source in sources]


def _pue_note(places: Sequence[RegionImpact]) -> str:
    if all(place.pue == MACHINES_ALONE for place in places):
        return "PUE 1: the machines alone"
    pues = sorted({end for place in places for end in (place.pue.low, place.pue.high)})
    return f"PUE {_range(pues, '{:g}')}"


def _range(values: Sequence[object], form: str = "{}") -> str:
    """The first and the last of a sorted list: "2022 to 2024"."""
    return " to ".join(form.format(value) for value in dict.fromkeys((values[0], values[-1])))


def _quantity_json(quantity: DerivedQuantity | None) -> dict[str, Any] | None:
    figures = interval_json(quantity)
    return {**figures, "unit": quantity.unit} if quantity and figures else None

"""Terminal tables of `joulebench where`: regions and hours, ranked, with bars and sources."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.cli._io import print_json
from bench.impact import facts, hourly_profile
from bench.impact.facts import DerivedQuantity
from bench.impact.hourly_profile import DailyProfile
from bench.impact.region_comparison import RegionComparison, RegionImpact, first_and_last
from bench.results.formatting import MISSING, format_number, interval_text, mass_unit
from bench.results.interval import Interval, interval_json

BAR_WIDTH = 20


def print_regions(comparison: RegionComparison, work: str, max_rows: int, water: bool) -> None:
    """Print the ranking by carbon, or by off-site water: the first regions and the last three."""
    console = Console(highlight=False)
    places = comparison.places
    if water:
        places = tuple(sorted(places, key=lambda place: place.water.off_site.value))
    ranked = first_and_last(places, max_rows)
    with_market = any(place.market for _, place in ranked)
    gas = places[0].grams.unit.removeprefix("g")
    carbon_title = f"{gas}: location-based, average over a year, {comparison.basis}"
    console.print(f"{work}, by region", markup=False, style="bold")
    console.print("water, modelled" if water else carbon_title, markup=False)
    most = max(place.grams.value for _, place in ranked)
    unit, size = mass_unit(most)
    narrow = console.width < 100
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("region", no_wrap=True, max_width=30 if narrow else None)
    carbon_columns = (unit, "", *["market-based"] * with_market)
    for title in ("off site (EWIF)", "on site (WUE)") if water else carbon_columns:
        table.add_column(title, no_wrap=True)
    bar_width, previous_rank = BAR_WIDTH // 2 if narrow else BAR_WIDTH, 0
    for rank, place in ranked:
        if rank - previous_rank > 1:
            table.add_row("…", f"{rank - previous_rank - 1} more")
        bar_scale = bar_width / most if most else 0
        cells = _water_cells(place) if water else _carbon_cells(place, size, bar_scale)
        label = place.region.label + (" *" if place.factor_place and not water else "")
        table.add_row(str(rank), label, *cells[: 3 if with_market else 2])
        previous_rank = rank
    console.print(table)
    for note in _notes(comparison, [place for _, place in ranked], water):
        console.print(note, markup=False, style="dim")


def region_json(place: RegionImpact, work: str) -> dict[str, Any]:
    """One region of a comparison for JSON."""
    water = place.water
    return {
        "region": place.region.key,
        "label": place.region.label,
        "work": work,
        "basis": place.factor.basis,
        "approach": "average",
        "grams_per_kwh": place.factor.value,
        "edition": place.factor.edition,
        "source": place.factor.source,
        "licence": place.factor.licence,
        "borrowed_from": place.factor_place,
        "pue": interval_json(place.pue),
        "location_based": _quantity_json(place.grams),
        "market_based": _quantity_json(place.market),
        "water_on_site": _quantity_json(water.on_site),
        "water_off_site": _quantity_json(water.off_site),
        "water_off_site_is_world_default": water.is_world_default,
    }


def print_hours(
    energy_kwh: float, work: str, profile: DailyProfile, job_hours: int, as_json: bool
) -> None:
    """Print the hours of a day, best window first, and what the best window saves."""
    ranked = hourly_profile.windows(profile, job_hours)
    if as_json:
        origin = {name: getattr(profile, name) for name in ("approach", "basis", "source")}
        for window in ranked:
            ends = {"start_hour": window.start, "end_hour": window.end}
            grams = energy_kwh * window.intensity
            print_json({**ends, "grams": grams, "grams_per_kwh": window.intensity, **origin})
        return
    best, worst = ranked[0], ranked[-1]
    print(f"{work}, {job_hours} h: {profile.approach} carbon intensity, {profile.basis}\n")
    for hour, intensity in enumerate(profile.intensities):
        bar = "█" * round(BAR_WIDTH * intensity / (max(profile.intensities) or 1.0))
        mark = "best" * ((hour - best.start) % hourly_profile.HOURS < job_hours)
        print(f"  {hour:02d}:00  {intensity:7.1f} g/kWh  {bar.ljust(BAR_WIDTH)} {mark}".rstrip())
    for name, window in (("best", best), ("worst", worst)):
        grams = energy_kwh * window.intensity
        unit, size = mass_unit(grams)
        mass = f"{format_number(grams / size)} {unit}"
        print(f"\n{name:<6}{window.start:02d}:00 to {window.end:02d}:00   {mass}", end="")
    saving = 100 * (1 - best.intensity / profile.mean) if profile.mean else 0.0
    print(f"\nThe best is {saving:.0f} % below the mean of the day.  source: {profile.source}")


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


def _notes(comparison: RegionComparison, places: list[RegionImpact], water: bool) -> list[str]:
    """The meaning of the marks, the omitted regions, and the sources."""
    pues = sorted({end for place in places for end in (place.pue.low, place.pue.high)})
    years = sorted({place.factor.edition for place in places})
    notes = [f"PUE {_range(pues, '{:g}')}" + ("" if water else f"; factors of {_range(years)}")]
    if water:
        default = facts.table("water")["world"].value
        uses = [use for p in places for use in (p.water.off_site, p.water.on_site) if use]
        notes.append("on site: — is unpublished; both are modelled, not metered")
        if any(place.water.is_world_default for place in places):
            notes.append(f"† by the world's default of {default} L/kWh")
        return notes + [f"source: {source}" for source in sorted({u.fact.source for u in uses})]
    factor_places = sorted({place.factor_place for place in places if place.factor_place})
    if factor_places:
        notes.append(f"* has no {comparison.basis} factor; used: {', '.join(factor_places)}")
    if any(place.market for place in places):
        notes.append("market-based: counts the electricity that the provider buys, as it reports")
    if comparison.omitted:
        notes.append(f"{len(comparison.omitted)} regions have no factor of this basis")
    sources = dict.fromkeys(f"{p.factor.source} ({p.factor.licence})" for p in places)
    return notes + [f"source: {source}" for source in sources]


def _range(values: Sequence[object], form: str = "{}") -> str:
    """The first and the last of a sorted list: "2022 to 2024"."""
    return " to ".join(form.format(value) for value in dict.fromkeys((values[0], values[-1])))


def _quantity_json(quantity: DerivedQuantity | None) -> dict[str, Any] | None:
    figures = interval_json(quantity)
    return {**figures, "unit": quantity.unit} if quantity and figures else None

"""Regions and hours on a terminal: ranked, with bars, each with what it rests on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.impact.facts import DerivedQuantity
    from bench.impact.hourly_profile import DailyProfile
    from bench.impact.region_comparison import RegionComparison, RegionImpact
    from bench.results.record import Estimate

BAR = 20


def show(comparison: RegionComparison, work: str, rows: int, water: bool) -> None:
    """Print the ranking by carbon, or by off-site water: the first regions and the last three."""
    from rich.console import Console
    from rich.table import Table

    from bench.impact import region_comparison
    from bench.results import formatting

    console = Console(highlight=False)
    places = comparison.places
    if water:
        places = tuple(sorted(places, key=lambda place: place.water.off_site.value))
    shown = region_comparison.ends(places, rows)
    market = any(place.market for _, place in shown)
    what = f"{places[0].grams.unit.removeprefix('g')}: location-based, average over a year"
    console.print(f"{work}, by region", markup=False, style="bold")
    console.print("water, modelled" if water else f"{what}, {comparison.basis}", markup=False)
    unit, size = formatting.mass_unit(max(place.grams.value for _, place in shown))
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("", justify="right", no_wrap=True)
    carbon = (unit, "", *["market-based"] * market)
    narrow = console.width < 100
    table.add_column("region", no_wrap=True, max_width=30 if narrow else None)
    for title in ("off site (EWIF)", "on site (WUE)") if water else carbon:
        table.add_column(title, no_wrap=True)
    bar = BAR // 2 if narrow else BAR
    most, last = max(place.grams.value for _, place in shown), 0
    for rank, place in shown:
        if rank - last > 1:
            table.add_row("…", f"{rank - last - 1} more")
        cells = _water(place) if water else _carbon(place, size, bar / most if most else 0)
        name = place.region.label + (" *" if place.borrowed and not water else "")
        table.add_row(str(rank), name, *cells[: 3 if market else 2])
        last = rank
    console.print(table)
    for note in _notes(comparison, [place for _, place in shown], water):
        console.print(note, markup=False, style="dim")


def _carbon(place: RegionImpact, size: float, bar: float) -> tuple[str, ...]:
    """Mass, a bar, and the market-based mass; a dash where none is published."""
    from bench.results import formatting

    market = place.market
    bought = (
        formatting.MISSING if market is None else formatting.format_number(market.value / size, 2)
    )
    return _span(place.grams, size), "█" * max(1, round(bar * place.grams.value)), bought


def _water(place: RegionImpact) -> tuple[str, ...]:
    """Water off site and on site with the spread of its sources; a dash where none is published."""
    from bench.results import formatting

    on_site = place.water.on_site
    off_site = _litres(place.water.off_site) + " †" * place.water.borrowed
    return off_site, formatting.MISSING if on_site is None else _litres(on_site)


def _litres(found: DerivedQuantity) -> str:
    unit, size = ("L", 1.0) if found.value >= 0.1 else ("mL", 1e-3)
    return f"{_span(found, size)} {unit}"


def _notes(comparison: RegionComparison, shown: list[RegionImpact], water: bool) -> list[str]:
    """What the marks mean, what was left out, and the sources."""
    from bench.impact import facts

    pues = sorted({end for place in shown for end in (place.pue.low, place.pue.high)})
    years = sorted({place.factor.edition for place in shown})
    notes = [f"PUE {_ends(pues, '{:g}')}" + ("" if water else f"; factors of {_ends(years)}")]
    if water:
        default = facts.table("water")["world"]
        used = {w.source for p in shown for w in (p.water.off_site, p.water.on_site) if w}
        notes.append("on site: — is unpublished; the two are models, nobody metered them")
        if any(place.water.borrowed for place in shown):
            notes.append(f"† by the world's default of {default.value} L/kWh")
        return notes + [f"source: {source}" for source in sorted(used)]
    borrowed = sorted({p.borrowed for p in shown if p.borrowed})
    if borrowed:
        notes.append(f"* no {comparison.basis} factor of its own: that of {', '.join(borrowed)}")
    if any(place.market for place in shown):
        notes.append("market-based: with the energy that the provider bought, as it reports")
    if comparison.left_out:
        notes.append(f"{len(comparison.left_out)} regions have no factor of this basis")
    sources = dict.fromkeys(f"{p.factor.source} ({p.factor.licence})" for p in shown)
    return notes + [f"source: {source}" for source in sources]


def _ends(values: Sequence[object], form: str = "{}") -> str:
    """The first and the last of a sorted list: "2022 to 2024"."""
    return " to ".join(form.format(value) for value in dict.fromkeys((values[0], values[-1])))


def as_dict(place: RegionImpact, work: str) -> dict[str, Any]:
    """A place as plain values."""
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
        "borrowed_from": place.borrowed,
        "pue": {"value": place.pue.value, "low": place.pue.low, "high": place.pue.high},
        "location_based": _plain(place.grams),
        "market_based": _plain(place.market),
        "water_on_site": _plain(water.on_site),
        "water_off_site": _plain(water.off_site),
        "water_off_site_is_world_default": water.borrowed,
    }


def show_hours(
    energy: Estimate,
    work: str,
    profile: DailyProfile,
    pue: float | None,
    length: int,
    as_json: bool,
) -> None:
    """Print the hours of a day, best first, and what the best of them saves."""
    from bench.impact import hourly_profile
    from bench.results import formatting

    ranked = hourly_profile.windows(profile, length)
    factor = pue or 1.0
    if as_json:
        for window in ranked:
            content = {
                "start_hour": window.start,
                "end_hour": window.end,
                "grams": energy.value * factor * window.intensity,
                "grams_per_kwh": window.intensity,
                "approach": profile.approach,
                "basis": profile.basis,
                "source": profile.source,
            }
            print(json.dumps(content))
        return
    best, worst = ranked[0], ranked[-1]
    print(f"{work}, {length} h: {profile.approach} carbon intensity, {profile.basis}\n")
    for hour, value in enumerate(profile.intensities):
        bar = "█" * round(BAR * value / (max(profile.intensities) or 1.0))
        inside = (hour - best.start) % hourly_profile.HOURS < length
        print(f"  {hour:02d}:00  {value:7.1f} g/kWh  {bar.ljust(BAR)} {'best' * inside}".rstrip())
    for name, window in (("best", best), ("worst", worst)):
        grams = energy.value * factor * window.intensity
        unit, size = formatting.mass_unit(grams)
        mass = f"{formatting.format_number(grams / size)} {unit}"
        print(f"\n{name:<6}{window.start:02d}:00 to {window.end:02d}:00   {mass}", end="")
    saved = 100 * (1 - best.intensity / profile.mean) if profile.mean else 0.0
    print(f"\nThe best is {saved:.0f} % below the mean of the day.  source: {profile.source}")


def _span(found: DerivedQuantity, size: float = 1.0) -> str:
    from bench.results import formatting

    value, low, high = (
        formatting.format_number(n / size, 2) for n in (found.value, found.low, found.high)
    )
    return value if low == high else f"{value} ({low} to {high})"


def _plain(found: DerivedQuantity | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {"value": found.value, "low": found.low, "high": found.high, "unit": found.unit}

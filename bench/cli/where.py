"""`joulebench where`: the same work in other regions, and at other hours."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bench.cli import _region_table
from bench.cli._io import print_json
from bench.cli._options import Json, Pue
from bench.impact import hourly_profile, region_comparison, regions
from bench.impact.hourly_profile import DailyProfile
from bench.impact.regions import Region
from bench.results.interval import Interval

PANEL = "Understand"


def command(
    result: Annotated[Path | None, typer.Argument(help="A result file: 1,000 inferences.")] = None,
    kwh: Annotated[
        float | None, typer.Option(help="An energy of machines in kWh, instead.")
    ] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="Only this region; may be repeated.")
    ] = None,
    among: Annotated[
        str, typer.Option(help="countries, states, provinces, aws, azure, gcp or clouds.")
    ] = "countries",
    basis: Annotated[
        str | None,
        typer.Option(
            help="life-cycle, direct or google. Default: those of the regions' own factors."
        ),
    ] = None,
    pue: Pue = None,
    published_pue: Annotated[
        bool, typer.Option("--published-pue", help="Apply the PUE that each provider publishes.")
    ] = False,
    hours: Annotated[
        Path | None, typer.Option(help="Carbon intensity by hour: csv with hour,gco2e_per_kwh.")
    ] = None,
    live: Annotated[
        str | None, typer.Option(help="The last 24 hours from electricity-maps or watttime.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="The zone's name at the live source.")] = None,
    job_hours: Annotated[int, typer.Option(help="Duration of the work in whole hours.")] = 1,
    water: Annotated[bool, typer.Option("--water", help="Show litres of water instead.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="Number of regions to show.")] = 15,
    out: Annotated[Path | None, typer.Option(help="Folder for a plot (PNG, SVG).")] = None,
    as_json: Json = False,
) -> None:
    """Rank regions, or the hours of a day, by the carbon of the same work.

    Each accounting basis is a ranking of its own. A region that has only the factor of a larger
    place is shown without a rank. Without --pue the energy is that of the machines alone.
    """
    energy_kwh, work = _energy(result, kwh)
    if pue is not None and published_pue:
        raise ValueError("--pue and --published-pue both state the PUE: use one of them")
    if hours and live:
        raise ValueError("--hours and --live both give an hourly profile: use one of them")
    if hours or live:
        profile = _profile(hours, live, zone, region)
        _region_table.print_hours(energy_kwh * (pue or 1.0), work, profile, job_hours, as_json)
        return
    if water and not as_json:
        # The range shown is that of the sources of water alone.
        energy_kwh = Interval.of(energy_kwh.value)
    candidates, bases = _candidates(region, among, basis)
    panels = [
        region_comparison.compare_regions(energy_kwh, candidates, each, pue, published_pue)
        for each in bases
    ]
    if as_json:
        for place in (each for panel in panels for each in (*panel.places, *panel.borrowed)):
            print_json(_region_table.region_json(place, work))
    elif water:
        _region_table.print_water(panels[0], work, rows)
    else:
        _region_table.print_regions(panels, work, rows)
    if out:
        from bench.reports import plots
        from bench.reports.plots.region_comparison import draw_comparisons as draw

        paths = plots.save(draw(panels, work, rows), out, "where")
        typer.echo("\n".join(f"wrote {path}" for path in paths), err=as_json)


def _energy(result: Path | None, kwh: float | None) -> tuple[Interval, str]:
    """The energy of the work in kWh, and a description of the work."""
    from bench.results import storage, views
    from bench.results.calibration import energy_with_calibration
    from bench.results.formatting import printable, unit_plural

    if (result is None) == (kwh is None):
        raise ValueError("give a result file or --kwh N, one of the two")
    if result is None:
        value = kwh or 0.0
        if not 0 < value < float("inf"):
            raise ValueError(f"--kwh {value:g} is not an energy above zero")
        return Interval.of(value), f"{value:,.10g} kWh"
    loaded = storage.load_result(result)
    kind = "modelled, NOT measured" if views.is_modelled(loaded) else "measured"
    work = f"1,000 {unit_plural(loaded.task.unit)} by {printable(loaded.model.id)}"
    return energy_with_calibration(loaded), f"{work}, energy {kind}"


def _candidates(
    names: list[str] | None, among: str, basis: str | None
) -> tuple[list[Region], tuple[str, ...]]:
    """The regions to compare, and the bases to rank them by."""
    if basis is not None and basis not in region_comparison.BASES:
        raise ValueError(f"no basis {basis!r}: choose one of {', '.join(region_comparison.BASES)}")
    if names:
        candidates = list(dict.fromkeys(regions.find(name) for name in names))
        bases = region_comparison.bases_to_rank(candidates)
    else:
        candidates, bases = region_comparison.region_group(among)
    return candidates, (region_comparison.BASES[basis],) if basis else bases


def _profile(
    hours: Path | None, live: str | None, zone: str | None, names: list[str] | None
) -> DailyProfile:
    """The hourly profile of a file, or of a live source in a zone or a region."""
    from bench.system import registry

    if hours:
        try:
            return hourly_profile.read(hours.read_text(encoding="utf-8-sig"), str(hours))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{hours} cannot be read: {error}") from error
    if zone is None and not names:
        raise ValueError("a live source needs --region or --zone")
    source = registry.load("live", live or "")
    zone = zone or source.zone_of(regions.find((names or [""])[0]))
    profile: DailyProfile = source.profile(zone)
    return profile

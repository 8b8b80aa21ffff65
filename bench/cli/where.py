"""`joulebench where`: the same work in other places, and at other hours."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli import _region_table
from bench.cli._errors import exit_on_error, exit_with_error
from bench.cli._options import Json, Pue
from bench.results.calibration import energy_with_calibration

if TYPE_CHECKING:
    from bench.impact.hourly_profile import DailyProfile
    from bench.impact.region_comparison import RegionComparison
    from bench.results.record import Estimate

PANEL = "Understand"


def command(
    result: Annotated[Path | None, typer.Argument(help="A result file: 1,000 inferences.")] = None,
    kwh: Annotated[float | None, typer.Option(help="This energy of machines, instead.")] = None,
    region: Annotated[
        list[str] | None, typer.Option(help="Only this region; may be repeated.")
    ] = None,
    among: Annotated[
        str, typer.Option(help="countries, states, provinces, aws, azure, gcp or clouds.")
    ] = "countries",
    basis: Annotated[
        str | None, typer.Option(help="life-cycle, direct or google. By default what all have.")
    ] = None,
    pue: Pue = None,
    hours: Annotated[
        Path | None, typer.Option(help="A day by hour: csv with hour,gco2e_per_kwh.")
    ] = None,
    live: Annotated[
        str | None, typer.Option(help="The last day, read live: electricity-maps or watttime.")
    ] = None,
    zone: Annotated[str | None, typer.Option(help="The zone as the live source calls it.")] = None,
    job_hours: Annotated[int, typer.Option(help="Whole hours that the work takes.")] = 1,
    water: Annotated[bool, typer.Option("--water", help="Litres of water instead.")] = False,
    rows: Annotated[int, typer.Option(min=1, help="How many regions to show.")] = 15,
    out: Annotated[Path | None, typer.Option(help="A folder for the picture (PNG, SVG).")] = None,
    as_json: Json = False,
) -> None:
    """Rank regions, or the hours of a day, by the carbon of the same work."""
    energy, work = exit_on_error(lambda: _energy(result, kwh))
    if hours and live:
        exit_with_error("--hours and --live are two sources of a day; name one")
    if hours or live:
        profile = exit_on_error(lambda: _profile(hours, live, zone, region))
        exit_on_error(
            lambda: _region_table.show_hours(energy, work, profile, pue, job_hours, as_json)
        )
        return
    if water and not as_json:
        # The spread shown is that of the sources of water alone.
        energy = energy.model_copy(update={"low": energy.value, "high": energy.value})
    comparison = exit_on_error(lambda: _compare(energy, region, among, basis, pue))
    if as_json:
        for place in comparison.places:
            print(json.dumps(_region_table.as_dict(place, work), ensure_ascii=False))
    else:
        _region_table.show(comparison, work, rows, water)
    if out:
        written = exit_on_error(lambda: _draw(comparison, work, rows, out))
        typer.echo("\n".join(f"wrote {path}" for path in written), err=as_json)


def _energy(result: Path | None, kwh: float | None) -> tuple[Estimate, str]:
    """The energy to place, and what it is, in words."""
    from bench.results import formatting, storage, views
    from bench.results.record import Estimate

    if (result is None) == (kwh is None):
        raise ValueError("give a result file or --kwh N, one of the two")
    if result is None:
        value = kwh or 0.0
        if not 0 < value < float("inf"):
            raise ValueError(f"--kwh {value:g} is not an amount of energy above zero")
        exact = Estimate(value=value, low=value, high=value, confidence_level=0.95, sample_count=0)
        return exact, f"{value:,.10g} kWh"
    loaded = storage.load_result(result)
    kind = "modelled, NOT measured" if views.is_modelled(loaded) else "measured"
    what = f"1,000 {formatting.unit_plural(loaded.task.unit)} by {formatting.printable(loaded.model.id)}"
    return energy_with_calibration(loaded), f"{what}, energy {kind}"


def _compare(
    energy: Estimate, names: list[str] | None, among: str, basis: str | None, pue: float | None
) -> RegionComparison:
    from bench.impact import region_comparison, regions

    if basis is not None and basis not in region_comparison.BASES:
        raise ValueError(f"no basis {basis!r}: choose one of {', '.join(region_comparison.BASES)}")
    if names:
        asked = [regions.find(name) for name in names]
        chosen = region_comparison.BASES[basis] if basis else region_comparison.common_basis(asked)
    else:
        asked, usual = region_comparison.group(among)
        chosen = region_comparison.BASES[basis] if basis else usual
    return region_comparison.compare_regions(energy, asked, chosen, pue)


def _profile(
    hours: Path | None, live: str | None, zone: str | None, names: list[str] | None
) -> DailyProfile:
    """The day that was asked for."""
    from bench.impact import hourly_profile as room
    from bench.impact import regions
    from bench.system import registry

    if hours:
        try:
            return room.read(hours.read_text(encoding="utf-8-sig"), str(hours))
        except (OSError, UnicodeDecodeError) as error:
            raise ValueError(f"{hours} can't be read: {error}") from error
    if zone is None and not names:
        raise ValueError("a live source needs --region or --zone: nobody guesses where you are")
    source = registry.load("live", live or "")
    found: DailyProfile = source.profile(zone or source.zone_of(regions.find((names or [""])[0])))
    return found


def _draw(comparison: RegionComparison, work: str, rows: int, out: Path) -> tuple[Path, Path]:
    from bench.reports import plots
    from bench.reports.plots import region_comparison

    figure = region_comparison.picture(comparison, work, rows)
    return plots.save(figure, out, "where")

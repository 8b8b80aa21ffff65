"""`joulebench import`: the energies in a file of CodeCarbon, with phone charges and CO2e."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._io import print_json, read_bytes
from bench.cli._options import Edition, Json, RegionName

if TYPE_CHECKING:
    from bench.reports.exporters import ImportedEnergy
    from bench.results.interval import Interval

PANEL = "Understand"


def command(
    form: Annotated[str, typer.Argument(help="codecarbon: an emissions.csv of CodeCarbon 2 or 3.")],
    file: Annotated[Path, typer.Argument(help="The file.")],
    region: RegionName = None,
    edition: Edition = "epa-current",
    as_json: Json = False,
) -> None:
    """Read the energies in a file of another tool; print phone charges and CO2e of each.

    CodeCarbon states no range; the rows that JouleBench writes have one.
    """
    energies = _read(form, file)
    impacts = [_impact(each, region, edition) for each in energies]
    for each, impact in zip(energies, impacts, strict=True):
        if as_json:
            print_json({**dataclasses.asdict(each), **impact})
        else:
            _print_energy(each, impact)


def _read(form: str, file: Path) -> list[ImportedEnergy]:
    from bench.reports import exporters
    from bench.system import registry

    registry.load("exporter", form)
    data = read_bytes(file)
    try:
        energies = exporters.read(form, data)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    if not energies:
        raise ValueError(f"{file} has no row")
    return energies


def _impact(each: ImportedEnergy, region: str | None, edition: str) -> dict[str, Any]:
    """Phone charges and CO2e of an energy, with their ranges; empty where it is unknown."""
    from bench.impact import carbon, equivalences

    energy = each.energy
    charges = equivalences.phone_charges(energy or 0.0, edition)
    mass = carbon.co2e_grams(energy or 0.0, region) if region else None
    if energy is None:
        return {}
    impact = {**_ends("phone_charges", charges, each), "edition": charges.fact.edition}
    if mass is not None:
        impact |= _ends("co2e_grams", mass, each)
        impact |= {"grid": mass.fact.label, "basis": mass.fact.basis}
    return impact


def _ends(name: str, figure: Interval, each: ImportedEnergy) -> dict[str, float | None]:
    """A figure with its low and high end, None where the file states no range of its energy."""
    stated = each.low_kwh is not None
    low, high = (figure.low, figure.high) if stated else (None, None)
    return {name: figure.value, f"{name}_low": low, f"{name}_high": high}


def _print_energy(each: ImportedEnergy, impact: dict[str, Any]) -> None:
    from bench.results.formatting import (
        MISSING,
        energy_unit,
        format_number,
        interval_text,
        printable,
    )
    from bench.results.interval import Interval

    def text(name: str) -> str:
        low, value, high = impact[f"{name}_low"], impact[name], impact[f"{name}_high"]
        return interval_text(Interval.of(value) if low is None else Interval(value, low, high))

    energy = MISSING
    if each.energy is not None:
        unit, size = energy_unit(each.energy.value)
        energy = interval_text(each.energy / size, unit)
    parts = [f"{printable(each.label)}: {energy} ({each.kind})"]
    if each.duration_seconds is not None:
        parts.append(f"{format_number(each.duration_seconds)} s")
    if "phone_charges" in impact:
        parts.append(f"{text('phone_charges')} phone charges")
    if "co2e_grams" in impact:
        parts.append(f"{text('co2e_grams')} g CO2e in {impact['grid']} ({impact['basis']})")
    print(", ".join(parts) + (f"\n  {each.note}" if each.note else ""))

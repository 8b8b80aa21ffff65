"""`joulebench import`: the energies in a file of CodeCarbon, with phone charges and CO2e."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._io import print_json, read_bytes
from bench.cli._options import Edition, Json, RegionName

if TYPE_CHECKING:
    from bench.reports.exporters import ImportedEnergy

PANEL = "Understand"


def command(
    form: Annotated[str, typer.Argument(help="codecarbon: an emissions.csv of CodeCarbon 2 or 3.")],
    file: Annotated[Path, typer.Argument(help="The file.")],
    region: RegionName = None,
    edition: Edition = "epa-current",
    as_json: Json = False,
) -> None:
    """Read the energies in a file of another tool; print phone charges and CO2e of each."""
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


def _impact(each: ImportedEnergy, region: str | None, edition: str) -> dict[str, float | str]:
    """Phone charges and CO2e of an energy; empty where the energy is unknown."""
    from bench.impact import carbon, equivalences

    charges = equivalences.phone_charges(each.energy_kwh or 0.0, edition)
    mass = carbon.co2e_grams(each.energy_kwh or 0.0, region) if region else None
    if each.energy_kwh is None:
        return {}
    impact: dict[str, float | str] = {"phone_charges": charges.value}
    impact["edition"] = charges.fact.edition
    if mass is not None:
        impact |= {"co2e_grams": mass.value, "grid": mass.fact.label, "basis": mass.fact.basis}
    return impact


def _print_energy(each: ImportedEnergy, impact: dict[str, float | str]) -> None:
    from bench.results.formatting import MISSING, energy_unit, format_number, printable

    energy = MISSING
    if each.energy_kwh is not None:
        unit, size = energy_unit(each.energy_kwh)
        energy = f"{format_number(each.energy_kwh / size)} {unit}"
    parts = [f"{printable(each.label)}: {energy} ({each.kind})"]
    if each.duration_seconds is not None:
        parts.append(f"{format_number(each.duration_seconds)} s")
    if "phone_charges" in impact:
        parts.append(f"{format_number(float(impact['phone_charges']))} phone charges")
    if "co2e_grams" in impact:
        grams = format_number(float(impact["co2e_grams"]))
        parts.append(f"{grams} g CO2e in {impact['grid']} ({impact['basis']})")
    print(", ".join(parts) + (f"\n  {each.note}" if each.note else ""))

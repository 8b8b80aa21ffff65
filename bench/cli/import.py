"""`joulebench import`: the energies in a file of CodeCarbon, with phone charges and CO2e."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._errors import exit_on_error
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
    found = exit_on_error(lambda: _read(form, file))
    lines = exit_on_error(lambda: [_meaning(each, region, edition) for each in found])
    for each, meaning in zip(found, lines, strict=True):
        if as_json:
            content = {**dataclasses.asdict(each), **meaning}
            print(json.dumps(content, ensure_ascii=False, allow_nan=False))
        else:
            _show(each, meaning)


def _read(form: str, file: Path) -> list[ImportedEnergy]:
    from bench.reports import exporters
    from bench.system import registry

    registry.load("exporter", form)
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file} can't be read: {error.strerror or error}") from error
    try:
        found = exporters.read(form, data)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from error
    if not found:
        raise ValueError(f"{file} has no row")
    return found


def _meaning(each: ImportedEnergy, region: str | None, edition: str) -> dict[str, float | str]:
    """Charges and CO2e of an energy; nothing where the energy is not known."""
    from bench.impact import carbon, equivalences

    charges = equivalences.phone_charges(each.energy_kwh or 0.0, edition)
    grams = carbon.co2e_grams(each.energy_kwh or 0.0, region) if region else None
    if each.energy_kwh is None:
        return {}
    found: dict[str, float | str] = {"phone_charges": charges.value, "edition": charges.edition}
    if grams is not None:
        found |= {"co2e_grams": grams.value, "grid": grams.label, "basis": grams.basis}
    return found


def _show(each: ImportedEnergy, meaning: dict[str, float | str]) -> None:
    from bench.results import formatting

    energy = formatting.MISSING
    if each.energy_kwh is not None:
        unit, size = formatting.energy_unit(each.energy_kwh)
        energy = f"{formatting.format_number(each.energy_kwh / size)} {unit}"
    parts = [f"{formatting.printable(each.label)}: {energy} ({each.kind})"]
    if each.duration_seconds is not None:
        parts.append(f"{formatting.format_number(each.duration_seconds)} s")
    if "phone_charges" in meaning:
        parts.append(f"{formatting.format_number(float(meaning['phone_charges']))} phone charges")
    if "co2e_grams" in meaning:
        grams = formatting.format_number(float(meaning["co2e_grams"]))
        parts.append(f"{grams} g CO2e in {meaning['grid']} ({meaning['basis']})")
    print(", ".join(parts) + (f"\n  {each.note}" if each.note else ""))

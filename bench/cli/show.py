"""`show`, with equivalences."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._errors import exit_on_error, exit_with_error, log
from bench.cli._options import Edition, Json, RegionName, ResultFile
from bench.reports.terminal import print_summary
from bench.results.calibration import energy_with_calibration_of

if TYPE_CHECKING:
    from bench.impact.facts import DerivedQuantity
    from bench.results.record import Estimate, Result
    from bench.tracker.program_record import ProgramRecord

PANEL = "Understand"


def _track(path: Path) -> ProgramRecord | None:
    """The record of a tracked program, where it is one."""
    from bench.tracker import program_record

    return program_record.load(path)


def _show_track(track: ProgramRecord, path: Path, edition: str, as_json: bool) -> None:
    """Print what `joulebench track` said of a program, or the last it knew before it was killed."""
    from rich.console import Console

    from bench.reports import program_summary
    from bench.tracker import program_record

    if as_json:
        print(json.dumps(program_record.document(track, edition)))
    else:
        program_summary.print_program(track, Console(highlight=False), edition, f"saved  {path}")


def command(
    result: ResultFile,
    edition: Edition = "epa-current",
    equivalences: Annotated[
        bool, typer.Option("--equivalences", help="What 1,000 inferences compare to, instead.")
    ] = False,
    region: RegionName = None,
    as_json: Json = False,
) -> None:
    """Show the summary of a result file again, or what it compares to."""
    from bench.impact import equivalences as room
    from bench.results import storage

    exit_on_error(lambda: room.phone_charge(edition))
    if region and not equivalences:
        exit_with_error("--region goes with --equivalences; `joulebench where` compares regions")
    tracked = exit_on_error(lambda: _track(result))
    if tracked is not None:
        _show_track(tracked, result, edition, as_json)
        return
    loaded = exit_on_error(lambda: storage.load_result(result))
    if equivalences:
        exit_on_error(lambda: show(loaded, region, as_json))
    elif as_json:
        print(storage.to_json(loaded))
    else:
        print_summary(loaded, result, edition, sys.stdout)


def comparisons(energy: Estimate, region: str | None) -> list[DerivedQuantity]:
    """Everything that an energy in kWh compares to; what is carbon, in this region or anywhere."""
    from bench.impact import carbon
    from bench.impact.equivalences import all_of_carbon, all_of_energy

    grams = carbon.co2e_grams(energy, region)
    return [*all_of_energy(energy), grams, *all_of_carbon(grams)]


def show(result: Result, region: str | None, as_json: bool) -> None:
    """Print what 1,000 inferences compare to, one line each. Raises ValueError without energy."""
    from bench.results import formatting, views

    found = comparisons(energy_with_calibration_of(result), region)
    kind = "modelled, NOT measured" if views.is_modelled(result) else "measured"
    if as_json:
        for each in found:
            print(json.dumps({**dataclasses.asdict(each), "kind": kind}, ensure_ascii=False))
        return
    things = formatting.unit_plural(result.task.unit)
    grams = next(each for each in found if each.unit.startswith("gCO2"))
    at = found.index(grams)
    _table(f"1,000 {things}, energy {kind}: {_percent(found[0])}", found[:at], things)
    mass = " to ".join(formatting.format_number(end, 2) for end in (grams.low, grams.high))
    place = f"{grams.label} ({grams.basis}, {grams.edition})"
    _table(f"{mass} g {grams.unit[1:]}, {place}: {_percent(grams)}", found[at + 1 :], things)
    if region is None:
        log("CO2e is that of the world, and reaches over all countries: name one with --region.")


def _table(title: str, found: list[DerivedQuantity], things: str) -> None:
    """Rows of "how many in 1,000, and how many inferences one of them is"."""
    from rich.console import Console
    from rich.table import Table

    from bench.results import formatting

    console = Console(highlight=False)
    console.print(title, markup=False, style="bold")
    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column(f"{things} in one", justify="right", no_wrap=True)
    table.add_column("or in 1,000", justify="right", no_wrap=True)
    table.add_column("")
    for each in found:
        one = (
            formatting.format_number(1000 / each.value, 2) if each.value > 0 else formatting.MISSING
        )
        table.add_row(
            one, formatting.format_number(each.value, 2), each.label.removesuffix(", CO2")
        )
    console.print(table, "")


def _percent(each: DerivedQuantity) -> str:
    """How far the figures reach, which is the same for all rows of a table."""
    if each.value <= 0:
        return "no interval"
    low, high = (100 * (end / each.value - 1) for end in (each.low, each.high))
    return f"{low:.0f} to +{high:.0f} % on each figure"

"""`joulebench show`: the summary of a saved result or tracked program; its equivalences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._io import log, print_json
from bench.cli._options import Edition, Json, RegionName, ResultFile

if TYPE_CHECKING:
    from rich.console import Console

    from bench.impact.facts import DerivedQuantity
    from bench.results.record import Estimate, Result

PANEL = "Understand"


def command(
    result: ResultFile,
    edition: Edition = "epa-current",
    equivalences: Annotated[
        bool, typer.Option("--equivalences", help="Print what 1,000 inferences compare to.")
    ] = False,
    region: RegionName = None,
    as_json: Json = False,
) -> None:
    """Show the summary of a result file, or the equivalences of its energy."""
    from bench.impact.equivalences import phone_charge
    from bench.reports.program_summary import print_program
    from bench.reports.terminal import print_result
    from bench.results import storage
    from bench.tracker import program_record

    phone_charge(edition)
    if region and not equivalences:
        raise ValueError("--region goes with --equivalences; `joulebench where` compares regions")
    program = program_record.load(result)
    if program is not None and as_json:
        print_json(program_record.record_with_impact(program, edition))
    elif program is not None:
        print_program(program, _console(), edition, f"saved  {result}")
    else:
        record = storage.load_result(result)
        if equivalences:
            print_equivalences(record, region, as_json)
        elif as_json:
            print(storage.to_json(record))
        else:
            print_result(record, result, _console(), edition)


def find_equivalences(energy: Estimate, region: str | None) -> list[DerivedQuantity]:
    """All equivalences of an energy in kWh: of the energy itself, its CO2e, and of the CO2e.

    The CO2e is that of `region`, or spans all countries.
    """
    from bench.impact import carbon
    from bench.impact.equivalences import carbon_equivalences, energy_equivalences

    mass = carbon.co2e_grams(energy, region)
    return [*energy_equivalences(energy), mass, *carbon_equivalences(mass)]


def print_equivalences(result: Result, region: str | None, as_json: bool) -> None:
    """Print the equivalences of 1,000 inferences. Raises ValueError for one without energy."""
    from bench.reports.terminal import MEASURED, MODELLED
    from bench.results import views
    from bench.results.calibration import energy_with_calibration
    from bench.results.formatting import format_number, unit_plural

    quantities = find_equivalences(energy_with_calibration(result), region)
    kind = MODELLED if views.is_modelled(result) else MEASURED
    if as_json:
        for each in quantities:
            print_json({**each.as_json(), "kind": kind})
        return
    plural = unit_plural(result.task.unit)
    mass = next(each for each in quantities if each.unit.startswith("gCO2"))
    index = quantities.index(mass)
    title = f"1,000 {plural}, energy {kind}: {_range(quantities[0])}"
    _print_table(title, quantities[:index], plural)
    ends = " to ".join(format_number(end, 2) for end in (mass.low, mass.high))
    grid = f"{mass.fact.label} ({mass.fact.basis}, {mass.fact.edition})"
    title = f"{ends} g {mass.unit[1:]}, {grid}: {_range(mass)}"
    _print_table(title, quantities[index + 1 :], plural)
    if region is None:
        log("The CO2e spans all countries; name one with --region.")


def _print_table(title: str, quantities: Sequence[DerivedQuantity], plural: str) -> None:
    from rich.table import Table

    from bench.results.formatting import MISSING, format_number

    table = Table(box=None, padding=(0, 2, 0, 0))
    table.add_column("equivalent", overflow="fold")
    for column in (f"in 1,000 {plural}", f"{plural} in one"):
        table.add_column(column, justify="right", no_wrap=True)
    for each in quantities:
        count = format_number(1000 / each.value, 2) if each.value > 0 else MISSING
        table.add_row(each.fact.label.removesuffix(", CO2"), format_number(each.value, 2), count)
    console = _console()
    console.print(title, markup=False, style="bold")
    console.print(table, "")


def _range(quantity: DerivedQuantity) -> str:
    """The interval relative to the value, which is the same for all rows of a table."""
    if quantity.value <= 0:
        return "no interval"
    low, high = (100 * (end / quantity.value - 1) for end in (quantity.low, quantity.high))
    return f"{low:.0f} to +{high:.0f} % on each figure"


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)

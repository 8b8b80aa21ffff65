"""What 1,000 inferences of a result compare to, on a terminal or as JSON."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

from bench.exits import say
from bench.results.calibration import energy_with_calibration_of

if TYPE_CHECKING:
    from bench.impact.facts import DerivedQuantity
    from bench.results.record import Estimate, Result


def comparisons(energy: Estimate, region: str | None) -> list[DerivedQuantity]:
    """Everything that an energy in kWh compares to; what is carbon, in this region or anywhere."""
    from bench.impact import carbon, equivalences

    grams = carbon.co2e_grams(energy, region)
    return [*equivalences.all_of_energy(energy), grams, *equivalences.all_of_carbon(grams)]


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
        say("CO2e is that of the world, and reaches over all countries: name one with --region.")


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

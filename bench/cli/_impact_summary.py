"""Terminal summaries of projections, job estimates, life cycles and claims.

The jinja templates beside this file have the text. Blocks are separated by empty lines; a line
"name :: value" is a row of a table, whose name is dim where it has no style of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2
from rich.console import Console, Group, RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.impact import claims
from bench.impact.claims import Claim
from bench.reports.text_layout import name_value_table, print_blocks
from bench.results.formatting import (
    MISSING,
    interval_text,
    large_energy_unit,
    large_number_text,
    mass_unit,
)
from bench.results.interval import Interval

SEPARATOR = " :: "


def print_summary(template: str, **values: Any) -> None:
    """Print a template of this folder, such as "scale", with these values."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: escape(" ".join(str(value).splitlines())),
    )
    environment.filters |= {
        "energy": _energy_text,
        "mass": _mass_text,
        "interval": interval_text,
        "large_number": lambda figure: large_number_text(Interval.of(figure)),
    }
    text = environment.get_template(f"{template}.jinja").render(values)
    blocks = [_block(block.splitlines()) for block in re.split("\n\n+", text.strip("\n"))]
    print_blocks(blocks, Console(highlight=False))


def print_claims(selected: Iterable[Claim]) -> None:
    """Print claims with their recomputed and published values, caveat and source."""
    title = Text("Claims, published values, and values recomputed from published facts", "bold")
    print_blocks([title, *map(_claim_block, selected)], Console(highlight=False))


def _claim_block(claim: Claim) -> Group:
    """A claim: each value, its unit with low and high, its name, and below it the comparison."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True, justify="right", min_width=11)
    table.add_column(no_wrap=True, min_width=11)
    table.add_column(overflow="fold")
    for each in claim.quantities:
        comparison = (f"\n{claims.comparison_text(each)}", "dim")
        name = Text.assemble(each.quantity, comparison)
        table.add_row(*map(Text, claims.value_text(each)), name)
    detail = "" if claim.quantities else " · context, not computed"
    notes = [Text(f"! {claim.caveat}", style="yellow"), Text(claim.source, style="dim")]
    title = Text.assemble((f"{claim.id:<4}{claim.claim}", "bold"), detail)
    return Group(title, Padding(Group(table, *notes), (0, 0, 0, 4)))


def _block(lines: list[str]) -> Group:
    """Lines of markup: text, and tables of the rows that follow one another."""
    parts: list[RenderableType] = []
    for in_table, group in groupby(lines, key=lambda line: SEPARATOR in line):
        if in_table:
            parts.append(name_value_table(map(_row, group), style=""))
        else:
            parts += [Text.from_markup(line) for line in group]
    return Group(*parts)


def _row(line: str) -> tuple[Text, Text]:
    name, _, value = line.partition(SEPARATOR)
    style = "" if name.startswith("[") else "dim"
    return Text.from_markup(name, style=style), Text.from_markup(value)


def _energy_text(kwh: Interval | float | None) -> str:
    """An energy in kWh in a readable unit: "500 (283 to 828) MWh"; a dash where not known."""
    if kwh is None:
        return MISSING
    energy = Interval.of(kwh)
    unit, size = large_energy_unit(energy.value)
    return interval_text(energy / size, unit)


def _mass_text(grams: Interval | None) -> str:
    """A mass in grams in a readable unit: "24.7 t"; a dash where not known."""
    if grams is None:
        return MISSING
    unit, size = mass_unit(grams.value)
    return interval_text(grams / size, unit)

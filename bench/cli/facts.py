"""`joulebench facts`: the published facts, each with its source."""

from __future__ import annotations

import dataclasses
from typing import Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from bench.cli._io import print_json
from bench.cli._options import Json
from bench.impact import facts, regions
from bench.impact.facts import Fact

PANEL = "Understand"


def command(
    table: Annotated[
        str | None, typer.Argument(help="A table: grid, equivalences, training … Default: all.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Only this region: FR, US-WV, CA-QC, aws:eu-west-3.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show published facts with their unit, edition, source and licence."""
    rows = _find_facts(table, region)
    if as_json:
        for name, fact in rows:
            print_json({"table": name, **dataclasses.asdict(fact)})
    elif table is None and region is None:
        _print_tables(rows)
    else:
        _print_facts([fact for _, fact in rows])


def _find_facts(table: str | None, region: str | None) -> list[tuple[str, Fact]]:
    """(table, fact) of a table and a region. Raises ValueError if one of them is unknown."""
    places = regions.find(region).places if region else ()
    names = [name for name in facts.tables() if table in (None, name, name.split("_")[0])]
    if not names:
        raise ValueError(f"no table {table!r}: choose one of {', '.join(facts.tables())}")
    rows = [(name, fact) for name in names for fact in facts.table(name).values()]
    if not region:
        return rows
    tables_by_place = {*facts.GRIDS, "cloud", "water"}
    by_place = [(fact.key.partition("/")[0], name, fact) for name, fact in rows]
    of_region = [row for row in by_place if row[1] in tables_by_place and row[0] in places]
    if not of_region:
        raise ValueError(f"table {table!r} has no fact of {region}")
    of_region.sort(key=lambda row: places.index(row[0]))
    return [(name, fact) for _, name, fact in of_region]


def _print_tables(rows: list[tuple[str, Fact]]) -> None:
    console = Console(highlight=False)
    for name in dict.fromkeys(name for name, _ in rows):
        of_table = [fact for table, fact in rows if table == name]
        licences = ", ".join(dict.fromkeys(fact.licence for fact in of_table))
        console.print(f"{name:<18} {len(of_table):>4} facts   {licences}", markup=False)
    console.print("\nShow one: joulebench facts grid --region FR")


def _print_facts(rows: list[Fact]) -> None:
    console = Console(highlight=False)
    for fact in rows:
        head = Text(f"{fact.value:,.10g} {fact.unit}", style="bold")
        head.append(f"   {fact.label}", style="not bold").append(f"   {fact.key}", style="dim")
        console.print(head)
        licence = "" if fact.licence.startswith("individual") else f"; licence {fact.licence}"
        text = Text(f"{fact.edition} · {fact.basis} · {fact.source}{licence}")
        if fact.note or fact.source_url:
            text.append("\n" + f"{fact.note} {fact.source_url}".strip(), style="dim")
        console.print(Padding(text, (0, 0, 0, 4)))

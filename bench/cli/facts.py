"""`joulebench facts`: the published facts, each with its source."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer

from bench.cli._errors import exit_on_error
from bench.cli._options import Json

if TYPE_CHECKING:
    from bench.impact.facts import Fact

PANEL = "Understand"


def command(
    table: Annotated[
        str | None, typer.Argument(help="A table: grid, equivalences, training … Without: all.")
    ] = None,
    region: Annotated[
        str | None, typer.Option(help="Only this place: FR, US-WV, CA-QC, aws:eu-west-3.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show published facts with their unit, edition, source and licence."""
    found = exit_on_error(lambda: _facts(table, region))
    if as_json:
        for name, fact in found:
            print(json.dumps({"table": name, **dataclasses.asdict(fact)}, ensure_ascii=False))
    elif table is None and region is None:
        _list_tables(found)
    else:
        _show(found)


def _facts(table: str | None, region: str | None) -> list[tuple[str, Fact]]:
    """(table, fact) of what was asked for. Raises ValueError for an unknown table or region."""
    from bench.impact import facts, regions

    places = regions.find(region).places if region else ()
    asked = [name for name in facts.tables() if table in (None, name, name.split("_")[0])]
    if not asked:
        raise ValueError(f"no table {table!r}: choose one of {', '.join(facts.tables())}")
    found = [(name, fact) for name in asked for fact in facts.table(name).values()]
    if not region:
        return found
    by_place = {*facts.GRIDS, "cloud", "water"}
    here = [
        (name, fact)
        for name, fact in found
        if name in by_place and fact.key.partition("/")[0] in places
    ]
    if not here:
        raise ValueError(f"table {table!r} has nothing of {region}")
    return sorted(here, key=lambda item: places.index(item[1].key.partition("/")[0]))


def _list_tables(found: list[tuple[str, Fact]]) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for name in dict.fromkeys(name for name, _ in found):
        rows = [fact for other, fact in found if other == name]
        licences = ", ".join(dict.fromkeys(fact.licence for fact in rows))
        console.print(f"{name:<18} {len(rows):>4} facts   {licences}", markup=False)
    console.print("\nShow one: joulebench facts grid --region FR")


def _show(found: list[tuple[str, Fact]]) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    def aside(text: str, style: str = "") -> Padding:
        return Padding(Text(text, style=style), (0, 0, 0, 4))

    console = Console(highlight=False)
    for _, fact in found:
        head = Text(f"{fact.value:,.10g} {fact.unit}", style="bold")
        head.append(f"   {fact.label}", style="not bold").append(f"   {fact.key}", style="dim")
        console.print(head)
        licence = "" if fact.licence.startswith("individual") else f"; licence {fact.licence}"
        console.print(aside(f"{fact.edition} · {fact.basis} · {fact.source}{licence}"))
        if fact.note or fact.source_url:
            console.print(aside(f"{fact.note} {fact.source_url}".strip(), "dim"))

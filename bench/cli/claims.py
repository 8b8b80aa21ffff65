"""`joulebench claims`: well-known claims, recomputed from published facts."""

from __future__ import annotations

import dataclasses
from typing import Annotated, Any

import typer
from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.cli._io import print_json
from bench.cli._options import Json
from bench.impact import claims
from bench.impact.claims import Claim
from bench.impact.facts import fact_by_name
from bench.reports.text_layout import print_blocks

PANEL = "Understand"


def command(
    ids: Annotated[list[str] | None, typer.Argument(help="S4, S13 … Default: all.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute published claims and compare with the published values, with caveats."""
    selected = claims.find_claims(tuple(ids or ()))
    if as_json:
        for claim in selected:
            print_json(_claim_json(claim))
        return
    title = Text("Claims, published values, and values recomputed from published facts", "bold")
    title.append(
        "\nPublished values have the digits of their sources, recomputed ones at least four.", "dim"
    )
    print_blocks([title, *map(_claim_block, selected)], Console(highlight=False))


def _claim_json(claim: Claim) -> dict[str, Any]:
    """A claim for JSON: each quantity with its interval, facts and caveat."""
    return dataclasses.asdict(claim) | {
        "quantities": [
            {
                **dataclasses.asdict(each),
                "ours": each.value,
                "ratios": each.ratios,
                "caveat": claim.caveat,
                "facts": [_fact_json(name) for name in each.rests_on],
            }
            for each in claim.quantities
        ]
    }


def _fact_json(name: str) -> dict[str, Any]:
    fact, fields = fact_by_name(name), ("value", "unit", "edition", "basis", "source")
    return {"fact": name, **{field: getattr(fact, field) for field in fields}}


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

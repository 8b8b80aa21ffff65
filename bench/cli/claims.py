"""`joulebench claims`: well-known claims, recomputed from published facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._errors import exit_on_error
from bench.cli._io import print_json
from bench.cli._options import Json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.impact.claims import Claim

PANEL = "Understand"


def command(
    ids: Annotated[list[str] | None, typer.Argument(help="S4, S13 … Default: all.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute published claims and compare with the published values, with caveats."""
    from bench.impact import claims

    selected = exit_on_error(lambda: claims.find_claims(tuple(ids or ())))
    if as_json:
        for claim in selected:
            print_json(_claim_json(claim))
        return
    from bench.cli import _layout

    title = _layout.title("Claims, published values, and values recomputed from published facts")
    _layout.print_parts([title, *map(_claim_part, selected)])


def _claim_part(claim: Claim) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from bench.cli import _layout
    from bench.impact import claims

    rows = [
        (*claims.value_text(each), each.quantity, claims.comparison_text(each))
        for each in claim.quantities
    ]
    content: list[RenderableType] = [_layout.quantities(rows)] if rows else []
    content += [Text(f"! {claim.caveat}", style="yellow"), Text(claim.source, style="dim")]
    title = _layout.title(f"{claim.id:<4}{claim.claim}", "" if rows else "context, not computed")
    return Group(title, Padding(Group(*content), (0, 0, 0, 4)))


def _claim_json(claim: Claim) -> dict[str, Any]:
    """A claim for JSON: each quantity with its interval, facts and caveat."""
    import dataclasses

    from bench.results.interval import interval_json

    return dataclasses.asdict(claim) | {
        "quantities": [
            {
                **dataclasses.asdict(each),
                "ours": interval_json(each.value),
                "ratios": each.ratios,
                "caveat": claim.caveat,
                "facts": [_fact_json(name) for name in each.rests_on],
            }
            for each in claim.quantities
        ]
    }


def _fact_json(name: str) -> dict[str, Any]:
    from bench.impact.facts import fact_by_name

    fact, fields = fact_by_name(name), ("value", "unit", "edition", "basis", "source")
    return {"fact": name, **{field: getattr(fact, field) for field in fields}}

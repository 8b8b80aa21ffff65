"""`joulebench claims`: well-known claims, recomputed from published facts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._errors import exit_on_error
from bench.cli._io import print_json
from bench.cli._options import Json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.impact.claims import RecomputedClaim
    from bench.impact.facts import Fact

PANEL = "Understand"


def command(
    ids: Annotated[list[str] | None, typer.Argument(help="S4, S13 … Default: all.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute published claims and compare with the published values, with caveats."""
    from bench.impact import claims

    recomputed = exit_on_error(lambda: claims.recompute_claims(tuple(ids or ())))
    if as_json:
        for each in recomputed:
            print_json(_claim_json(each))
        return
    from bench.cli import _layout

    title = _layout.title("Claims, published values, and values recomputed from published facts")
    _layout.print_parts([title, *(_claim_part(each) for each in recomputed)])


def _claim_part(recomputed: RecomputedClaim) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from bench.cli import _layout
    from bench.impact import claims

    claim = recomputed.claim
    rows = [
        (*claims.value_text(each), each.claimed.quantity, claims.comparison_text(each))
        for each in recomputed.quantities
    ]
    content: list[RenderableType] = [_layout.quantities(rows)] if rows else []
    content += [Text(f"! {claim.caveat}", style="yellow"), Text(claim.source, style="dim")]
    title = _layout.title(f"{claim.id:<4}{claim.claim}", "" if rows else "context, not computed")
    return Group(title, Padding(Group(*content), (0, 0, 0, 4)))


def _claim_json(recomputed: RecomputedClaim) -> dict[str, Any]:
    """A claim for JSON: each quantity with its interval, facts and caveat."""
    import dataclasses

    from bench.impact.facts import fact_by_name
    from bench.results.interval import interval_json

    return dataclasses.asdict(recomputed.claim) | {
        "quantities": [
            {
                **dataclasses.asdict(each.claimed),
                "ours": interval_json(each.value),
                "ratios": each.ratios,
                "caveat": recomputed.claim.caveat,
                "facts": [
                    {"fact": name, **_fact_json(fact_by_name(name))}
                    for name in each.claimed.rests_on
                ],
            }
            for each in recomputed.quantities
        ]
    }


def _fact_json(fact: Fact) -> dict[str, Any]:
    return {k: getattr(fact, k) for k in ("value", "unit", "edition", "basis", "source")}

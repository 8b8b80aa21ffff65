"""`joulebench claims`: well-known claims, recomputed from published facts."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._io import print_json
from bench.cli._options import Json
from bench.impact.facts import fact_by_name

if TYPE_CHECKING:
    from bench.impact.claims import Claim

PANEL = "Understand"


def command(
    ids: Annotated[list[str] | None, typer.Argument(help="S4, S13 … Default: all.")] = None,
    as_json: Json = False,
) -> None:
    """Recompute published claims and compare with the published values, with caveats."""
    from bench.cli import _impact_summary
    from bench.impact import claims

    selected = claims.find_claims(tuple(ids or ()))
    if as_json:
        for claim in selected:
            print_json(_claim_json(claim))
        return
    _impact_summary.print_claims(selected)


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

"""`joulebench claims`: the famous claims, computed again from published facts."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bench.cli._errors import exit_on_error
from bench.cli._options import Json

if TYPE_CHECKING:
    from rich.console import RenderableType

    from bench.impact.claims import RecomputedClaim

PANEL = "Understand"


def command(
    ids: Annotated[list[str] | None, typer.Argument(help="S4, S13 … Without: all.")] = None,
    as_json: Json = False,
) -> None:
    """Compute the published claims again, beside what was published and the caveat."""
    from bench.impact import claims

    answers = exit_on_error(lambda: claims.recompute_claims(tuple(ids or ())))
    if as_json:
        for answer in answers:
            print(json.dumps(_json(answer), ensure_ascii=False))
        return
    from bench.cli import _layout

    title = "What was claimed, what was published, and what published facts give"
    _layout.show([_layout.head(title), *(_shown(answer) for answer in answers)])


def _shown(answer: RecomputedClaim) -> RenderableType:
    from rich.console import Group
    from rich.padding import Padding
    from rich.text import Text

    from bench.cli import _layout
    from bench.impact import claims

    claim = answer.claim
    rows = [
        (*claims.words(ours), ours.claimed.quantity, claims.beside(ours)) for ours in answer.ours
    ]
    below: list[RenderableType] = [_layout.numbers(rows)] if rows else []
    below += [Text(f"! {claim.caveat}", style="yellow"), Text(claim.source, style="dim")]
    title = _layout.head(f"{claim.id:<4}{claim.claim}", "" if rows else "context, not computed")
    return Group(title, Padding(Group(*below), (0, 0, 0, 4)))


def _json(answer: RecomputedClaim) -> dict[str, Any]:
    """A claim as JSON: each quantity with its interval, the facts that it rests on, the caveat."""
    import dataclasses

    from bench.impact import claims
    from bench.results.interval import interval_json

    return dataclasses.asdict(answer.claim) | {
        "quantities": [
            {
                **dataclasses.asdict(ours.claimed),
                "ours": interval_json(ours.figure),
                "ratios": ours.ratios,
                "caveat": answer.claim.caveat,
                "facts": [
                    {"fact": name, **_fact(claims.source(name))} for name in ours.claimed.rests_on
                ],
            }
            for ours in answer.ours
        ]
    }


def _fact(fact: Any) -> dict[str, Any]:
    return {k: getattr(fact, k) for k in ("value", "unit", "edition", "basis", "source")}

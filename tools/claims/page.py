"""The text of docs/claims.md: each claim with its recomputed and published values and its facts."""

from __future__ import annotations

from collections.abc import Iterator

from bench.impact.claims import (
    Claim,
    ClaimedQuantity,
    find_claims,
    published_text,
    value_text,
)
from bench.impact.facts import fact_by_name

PLOTS = {  # claim: (name of the plot, its alternative text)
    "S2": ("bloom", "Emissions of training BLOOM, by stage"),
    "S4": ("phone-charge", "Phone charges for one image, by edition of the charge"),
    "S7": ("grids", "The energy of GPT-3 in France, the US and West Virginia"),
    "S11": ("five-cars", "Emissions of trainings in lifetimes of a car"),
    "S13": ("break-even", "Number of uses whose energy equals that of training"),
}
INTRO = """# Well-known claims, recomputed

Each claim with its published values, and with the values that published facts give, recomputed by
the code of the commands. Nothing here was measured by this project. `joulebench claims` prints this
page on a terminal, `joulebench claims --json` adds every fact; `python -m tools.claims` writes it.
Where a paper disagrees with itself, both of its values are listed. "Low to high" is the range over
the sources, or over the interpretations of a source. Claims that are not computations are at the
end, with their source and without a recomputed value. Published values have the digits that their
sources print, recomputed ones at least four: neither is a statement of accuracy.
"""


def text() -> str:
    """The page."""
    claims = find_claims()
    computed = [claim for claim in claims if claim.quantities]
    context = [claim for claim in claims if not claim.quantities]
    parts = [INTRO, *("\n".join(_computed_section(claim)) for claim in computed)]
    parts += ["## Context, not computed\n"]
    parts += ["\n".join(_context_section(claim)) for claim in context]
    return "\n".join(parts)


def _computed_section(claim: Claim) -> Iterator[str]:
    yield f"## {claim.id}. {claim.claim}\n"
    if claim.id in PLOTS:
        name, alternative_text = PLOTS[claim.id]
        yield f"![{alternative_text}](claims-{name}.png)\n"
    yield "| | recomputed | low to high | published | recomputed / published |"
    yield "|---|--:|---|---|--:|"
    yield from (_row(quantity) for quantity in claim.quantities)
    yield f"\n**Caveat.** {claim.caveat}\n"
    yield f"Formula: {claim.calculation}. Source: {_source(claim)}.\n"
    yield "<details><summary>The facts behind it</summary>\n"
    names = dict.fromkeys(name for each in claim.quantities for name in each.rests_on)
    for name in names:
        fact = fact_by_name(name)
        origin = f"{fact.edition}; {fact.source}"
        yield f"- `{name}`: {fact.value:,.10g} {fact.unit}, {fact.label} ({origin})"
    yield "\n</details>\n"


def _row(quantity: ClaimedQuantity) -> str:
    value, rest = value_text(quantity)
    unit, _, ends = rest.partition(" (")
    note = f" ({quantity.note})" if quantity.note else ""
    ratios = " and ".join(f"{ratio:.3f}" for ratio in quantity.ratios)
    published = published_text(quantity) or "not published"
    return (
        f"| {quantity.quantity}{note} | {value} {unit} | {ends.removesuffix(')')} "
        f"| {published} | {ratios} |"
    )


def _context_section(claim: Claim) -> Iterator[str]:
    yield f"### {claim.id}. {claim.claim}\n"
    yield f"{claim.caveat} Source: {_source(claim)}.\n"


def _source(claim: Claim) -> str:
    return f"[{claim.source}]({claim.source_url})" if claim.source_url else claim.source

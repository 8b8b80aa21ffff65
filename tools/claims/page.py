"""docs/claims.md: every claim with our figure, the published one, the caveat and the facts."""

from __future__ import annotations

from collections.abc import Iterator

from bench.impact import claims
from bench.impact.claims import RecomputedClaim, RecomputedQuantity

FIGURE_OF = {
    "S2": ("bloom", "What training BLOOM emitted, stage by stage"),
    "S4": ("phone-charge", "Phone charges for one image, by edition of the charge"),
    "S7": ("grids", "The energy of GPT-3 in France, the US and West Virginia"),
    "S11": ("five-cars", "Emissions of trainings in lifetimes of a car"),
    "S13": ("break-even", "Uses until inference has taken as much energy as training"),
}
INTRO = """# The famous claims, computed again

What was claimed, what was published, and what published facts give, by the same code that the
commands use. Nothing here was measured by this project. `joulebench claims` prints this page on a
terminal, `joulebench claims --json` with every fact; `python -m tools.claims` writes it. Where a
paper's own numbers disagree, both stand here. "Low to high" is the range over the sources, or over
the readings of a source. Claims that are no computation stand at the end, with their source and
without a number of ours.
"""


def text() -> str:
    """The whole page."""
    answers = claims.recompute_claims()
    computed = [answer for answer in answers if answer.ours]
    context = [answer for answer in answers if not answer.ours]
    parts = [INTRO, *("\n".join(_claim(answer)) for answer in computed)]
    parts += ["## Context, not computed\n", *("\n".join(_card(answer)) for answer in context)]
    return "\n".join(parts)


def _claim(answer: RecomputedClaim) -> Iterator[str]:
    claim = answer.claim
    yield f"## {claim.id}. {claim.claim}\n"
    if claim.id in FIGURE_OF:
        name, words = FIGURE_OF[claim.id]
        yield f"![{words}](claims-{name}.png)\n"
    yield "| | ours | low to high | published | ours / published |"
    yield "|---|--:|---|---|--:|"
    yield from (_row(ours) for ours in answer.ours)
    yield f"\n**Caveat.** {claim.caveat}\n"
    yield f"Formula: {claim.calculation}. Source: {_source(answer)}.\n"
    yield "<details><summary>The facts it rests on</summary>\n"
    names = dict.fromkeys(name for ours in answer.ours for name in ours.claimed.rests_on)
    for name in names:
        fact = claims.source(name)
        origin = f"{fact.edition}; {fact.source}"
        yield f"- `{name}`: {fact.value:,.10g} {fact.unit}, {fact.label} ({origin})"
    yield "\n</details>\n"


def _row(ours: RecomputedQuantity) -> str:
    value, rest = claims.words(ours)
    unit, _, ends = rest.partition(" (")
    note = f" ({ours.claimed.note})" if ours.claimed.note else ""
    ratios = " and ".join(f"{ratio:.3f}" for ratio in ours.ratios)
    published = claims.published(ours) or "not published"
    return (
        f"| {ours.claimed.quantity}{note} | {value} {unit} | {ends.removesuffix(')')} "
        f"| {published} | {ratios} |"
    )


def _card(answer: RecomputedClaim) -> Iterator[str]:
    claim = answer.claim
    yield f"### {claim.id}. {claim.claim}\n"
    yield f"{claim.caveat} Source: {_source(answer)}.\n"


def _source(answer: RecomputedClaim) -> str:
    claim = answer.claim
    return f"[{claim.source}]({claim.source_url})" if claim.source_url else claim.source

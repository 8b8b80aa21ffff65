"""Published claims recomputed; the formulas of training and of use."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from bench.impact import facts
from bench.impact.claims import training, use
from bench.impact.facts import FOLDER, read_rows
from bench.results.formatting import interval_text
from bench.results.interval import Interval

FORMULAS: dict[tuple[str, str, str], Callable[[], Interval | float]] = {
    **training.FORMULAS,
    **use.FORMULAS,
}


@dataclass(frozen=True)
class ClaimedQuantity:
    """One quantity of a claim: what was published, as text if at all, and what ours rests on.

    `rests_on` names facts as "table/key"; changing any of them changes our figure, and changing
    no other fact does.
    """

    quantity: str
    unit: str
    published: str
    note: str
    rests_on: tuple[str, ...]


@dataclass(frozen=True)
class RecomputedQuantity:
    """One quantity of a claim: what was published, and what we get."""

    claimed: ClaimedQuantity
    figure: Interval

    @property
    def published(self) -> tuple[float, ...]:
        """The published figures, none where none was published; a paper may give several."""
        return tuple(
            float(text.replace(",", ""))
            for text in re.findall(r"\d[\d,]*\.?\d*", self.claimed.published)
        )

    @property
    def ratios(self) -> tuple[float, ...]:
        """Ours over each published figure."""
        return tuple(self.figure.value / figure for figure in self.published)


@dataclass(frozen=True)
class Claim:
    """A published claim with the caveat to print beside it, and the quantities that we compute.

    Of kind "context" are those that are no computation: they have no quantities.
    """

    id: str
    kind: str
    claim: str
    calculation: str
    caveat: str
    source: str
    source_url: str
    quantities: tuple[ClaimedQuantity, ...]


@dataclass(frozen=True)
class RecomputedClaim:
    """A claim with our figures; one of kind "context" has none, ever."""

    claim: Claim
    ours: tuple[RecomputedQuantity, ...]


def recompute_claims(ids: tuple[str, ...] = ()) -> list[RecomputedClaim]:
    """The claims of these ids, or all, computed. Raises ValueError for an unknown id."""
    known = {claim.id: claim for claim in load_claims()}
    wanted = [one.upper() for one in ids] or list(known)
    missing = [one for one in wanted if one not in known]
    if missing:
        raise ValueError(f"there is no claim {missing[0]}: there are {', '.join(known)}")
    return [RecomputedClaim(known[one], tuple(_compute(known[one]))) for one in wanted]


def source(name: str) -> facts.Fact:
    """The fact that a claim names as "table/key". Raises KeyError where there is none."""
    table, _, key = name.partition("/")
    return facts.table(table)[key]


def words(ours: RecomputedQuantity) -> tuple[str, str]:
    """Our figure, and its unit with low and high where it has them: ("24.69", "tCO2e")."""
    unit = "times" if ours.claimed.unit == "ratio" else ours.claimed.unit
    value, _, ends = interval_text(ours.figure, "", 4).partition(" ")
    return value, f"{unit} {ends}".strip()


def published(ours: RecomputedQuantity) -> str:
    """What was published, thousands set apart; empty where nothing was."""
    text = ours.claimed.published
    return f"{int(text):,}" if text.isdigit() and len(text) > 4 else text


def beside(ours: RecomputedQuantity) -> str:
    """What was published, the ratio of ours to it, and what to know of it."""
    if not ours.claimed.published:
        return ours.claimed.note or "not published"
    ratios = " and ".join(f"{ratio:.3f}" for ratio in ours.ratios)
    text = f"published {published(ours)}" + (f": x {ratios}" if ratios else "")
    return f"{text}; {ours.claimed.note}" if ours.claimed.note else text


def _compute(claim: Claim) -> list[RecomputedQuantity]:
    return [
        RecomputedQuantity(one, Interval.of(FORMULAS[claim.id, one.quantity, one.unit]()))
        for one in claim.quantities
    ]


@lru_cache(maxsize=1)
def load_claims() -> tuple[Claim, ...]:
    """The published claims, each with its caveat, its source and its quantities."""
    claimed: dict[str, list[ClaimedQuantity]] = {}
    for r in read_rows(FOLDER / "claims" / "quantities.csv"):
        rests_on = tuple(r["rests_on"].split())
        found = ClaimedQuantity(r["quantity"], r["unit"], r["published"], r["note"], rests_on)
        claimed.setdefault(r["claim"], []).append(found)
    rows = read_rows(FOLDER / "claims" / "claims.csv")
    return tuple(Claim(**r, quantities=tuple(claimed.get(r["id"], ()))) for r in rows)

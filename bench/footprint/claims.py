"""The published claims, computed again from facts alone, through the rooms that commands use."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from bench import facts
from bench.footprint import claims_training, claims_use
from bench.results.formatting import interval_text
from bench.results.interval import Interval, as_interval

FORMULAS: dict[tuple[str, str, str], Callable[[], Interval | float]] = {
    **claims_training.FORMULAS,
    **claims_use.FORMULAS,
}


@dataclass(frozen=True)
class Ours:
    """One quantity of a claim: what was published, and what we get."""

    claimed: facts.Claimed
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
class Answer:
    """A claim with our figures; one of kind "context" has none, ever."""

    claim: facts.Claim
    ours: tuple[Ours, ...]


def answers(ids: tuple[str, ...] = ()) -> list[Answer]:
    """The claims of these ids, or all, computed. Raises ValueError for an unknown id."""
    known = {claim.id: claim for claim in facts.claims()}
    wanted = [one.upper() for one in ids] or list(known)
    missing = [one for one in wanted if one not in known]
    if missing:
        raise ValueError(f"there is no claim {missing[0]}: there are {', '.join(known)}")
    return [Answer(known[one], tuple(_compute(known[one]))) for one in wanted]


def source(name: str) -> facts.Fact:
    """The fact that a claim names as "table/key". Raises KeyError where there is none."""
    table, _, key = name.partition("/")
    return facts.table(table)[key]


def words(ours: Ours) -> tuple[str, str]:
    """Our figure, and its unit with low and high where it has them: ("24.69", "tCO2e")."""
    unit = "times" if ours.claimed.unit == "ratio" else ours.claimed.unit
    value, _, ends = interval_text(ours.figure, "", 4).partition(" ")
    return value, f"{unit} {ends}".strip()


def published(ours: Ours) -> str:
    """What was published, thousands set apart; empty where nothing was."""
    text = ours.claimed.published
    return f"{int(text):,}" if text.isdigit() and len(text) > 4 else text


def beside(ours: Ours) -> str:
    """What was published, the ratio of ours to it, and what to know of it."""
    if not ours.claimed.published:
        return ours.claimed.note or "not published"
    ratios = " and ".join(f"{ratio:.3f}" for ratio in ours.ratios)
    text = f"published {published(ours)}" + (f": x {ratios}" if ratios else "")
    return f"{text}; {ours.claimed.note}" if ours.claimed.note else text


def _compute(claim: facts.Claim) -> list[Ours]:
    return [
        Ours(one, as_interval(FORMULAS[claim.id, one.quantity, one.unit]()))
        for one in claim.quantities
    ]

"""Published claims, recomputed from published facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from bench.impact.claims import formulas
from bench.impact.facts import FOLDER, read_rows
from bench.results.formatting import interval_text
from bench.results.interval import Interval


@dataclass(frozen=True)
class ClaimedQuantity:
    """One quantity of a claim: the published text, empty if none, and the facts to recompute it.

    `formula` is the name of a function of `formulas` and its arguments. `rests_on` names the facts
    as "table/key"; the recomputed value depends on each of them, and on no other fact.
    """

    quantity: str
    unit: str
    published: str
    note: str
    rests_on: tuple[str, ...]
    formula: str

    @property
    def value(self) -> Interval:
        """The value by the formula, in `unit`, recomputed each time."""
        name, *arguments = self.formula.split()
        return Interval.of(getattr(formulas, name)(*arguments))

    @property
    def published_values(self) -> tuple[float, ...]:
        """The published values: none, one, or several where a paper gives several."""
        texts = re.findall(r"\d[\d,]*\.?\d*", self.published)
        return tuple(float(text.replace(",", "")) for text in texts)

    @property
    def ratios(self) -> tuple[float, ...]:
        """The recomputed value divided by each published value."""
        return tuple(self.value.value / published for published in self.published_values)


@dataclass(frozen=True)
class Claim:
    """A published claim, its caveat, source and quantities; a "context" claim has no quantities."""

    id: str
    kind: str
    claim: str
    calculation: str
    caveat: str
    source: str
    source_url: str
    quantities: tuple[ClaimedQuantity, ...]


def find_claims(ids: tuple[str, ...] = ()) -> list[Claim]:
    """The claims of these ids, or all. Raises ValueError for an unknown id."""
    claims = {claim.id: claim for claim in load_claims()}
    selected = [claim_id.upper() for claim_id in ids] or list(claims)
    for claim_id in selected:
        if claim_id not in claims:
            raise ValueError(f"no claim {claim_id}: choose from {', '.join(claims)}")
    return [claims[claim_id] for claim_id in selected]


def value_text(quantity: ClaimedQuantity) -> tuple[str, str]:
    """The recomputed value, and its unit with low and high if not exact: ("24.69", "tCO2e")."""
    unit = "times" if quantity.unit == "ratio" else quantity.unit
    value, _, ends = interval_text(quantity.value, "", 4).partition(" ")
    return value, f"{unit} {ends}".strip()


def published_text(quantity: ClaimedQuantity) -> str:
    """The published value with separators of thousands; empty where none was published."""
    text = quantity.published
    return f"{int(text):,}" if text.isdigit() and len(text) > 4 else text


def comparison_text(quantity: ClaimedQuantity) -> str:
    """The published value, the ratio of the recomputed value to it, and the note."""
    if not quantity.published:
        return quantity.note or "not published"
    ratios = " and ".join(f"{ratio:.3f}" for ratio in quantity.ratios)
    text = f"published {published_text(quantity)}" + (f": x {ratios}" if ratios else "")
    return f"{text}; {quantity.note}" if quantity.note else text


@lru_cache(maxsize=1)
def load_claims() -> tuple[Claim, ...]:
    """The published claims, each with its caveat, its source and its quantities."""
    quantities: dict[str, list[ClaimedQuantity]] = {}
    for row in read_rows(FOLDER / "claims" / "quantities.csv"):
        claim_id, rests_on = row.pop("claim"), tuple(row.pop("rests_on").split())
        quantities.setdefault(claim_id, []).append(ClaimedQuantity(**row, rests_on=rests_on))
    rows = read_rows(FOLDER / "claims" / "claims.csv")
    return tuple(Claim(**row, quantities=tuple(quantities.get(row["id"], ()))) for row in rows)

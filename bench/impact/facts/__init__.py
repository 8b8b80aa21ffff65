"""Readers of the fact tables and of published studies (csv beside them); Fact, FactRange, DerivedQuantity, PublishedFigure."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from statistics import median_low

from bench.results.record import Estimate

HERE = Path(__file__).parent
REQUIRED = ("key", "label", "unit", "edition", "basis", "source", "licence")

# Tables of carbon intensity; where a place is in several, the first is the one shown by default.
GRIDS = ("grid", "grid_us_states", "grid_provinces", "grid_google", "grid_clouds_2021")
ZERO = "0 as published"


@dataclass(frozen=True)
class Fact:
    """One published figure. `value` is in `unit`; `basis` says what it counts.

    Facts of different `basis` are never divided by each other. A value is above zero, but for one
    that its source itself gives as 0; its note then says so.
    """

    key: str
    label: str
    value: float
    unit: str
    edition: str
    basis: str
    source: str
    source_url: str
    licence: str
    note: str


@dataclass(frozen=True)
class FactRange:
    """One quantity as several sources give it: the least, the greatest, and one to start from."""

    value: float
    low: float
    high: float
    unit: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class CloudRegion:
    """Where a cloud region stands: "aws:us-east-1" is in "US-VA"."""

    key: str
    label: str
    place: str


def tables() -> tuple[str, ...]:
    """The names of all tables of facts."""
    return tuple(sorted(path.stem for path in HERE.glob("*.csv")))


@lru_cache(maxsize=64)
def table(name: str) -> dict[str, Fact]:
    """The facts of one file of this folder by key, in the order of the file.

    Raises ValueError where a row lacks what a fact needs, repeats a key, or has no positive value.
    """
    facts: dict[str, Fact] = {}
    with (HERE / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            fact = _fact(row, f"{name}.csv, line {number}")
            if fact.key in facts:
                raise ValueError(f"{name}.csv, line {number}: {fact.key} is there twice")
            facts[fact.key] = fact
    return facts


def equivalences() -> dict[str, Fact]:
    """What an amount of energy (kWh), carbon (gCO2e) or water (mL) compares to."""
    return table("equivalences")


def grids() -> dict[str, Fact]:
    """Carbon intensity by place ("world", "FR", "US-WV", "gcp:europe-west9"), one factor each.

    Where a place has several, it is the life-cycle one; `factors` gives all.
    """
    found: dict[str, Fact] = {}
    for name in GRIDS:
        found |= {key: fact for key, fact in table(name).items() if key not in found}
    return found


def factors(place: str) -> tuple[Fact, ...]:
    """Every carbon intensity of exactly this place, each with a basis of its own."""
    return tuple(table(name)[place] for name in GRIDS if place in table(name))


def gpus() -> dict[str, Fact]:
    """Thermal design power of accelerator boards, in watts."""
    return table("gpu")


def gpu_peaks() -> dict[str, Fact]:
    """Peak dense 16-bit tensor arithmetic of accelerators, in TFLOPS, by the keys of `gpus`."""
    return table("gpu_peak")


def fuels() -> dict[str, Fact]:
    """Carbon intensity by fuel, gCO2e/kWh; IPCC's are life-cycle, some of CodeCarbon's direct."""
    return table("fuel")


def inference() -> dict[str, Fact]:
    """Published energy, carbon and water of inference, each with its boundary as basis."""
    return table("inference")


def training_runs() -> dict[str, dict[str, Fact]]:
    """Published training runs: run -> "energy", "emissions", "pue", "grid", "hours", "power" …"""
    return _grouped(table("training").values())


def clouds() -> dict[str, dict[str, Fact]]:
    """Cloud regions: region -> "pue", "wue", "market" (market-based), "carbon-free"."""
    return _grouped(table("cloud").values())


def datacenters(metric: str) -> dict[str, Fact]:
    """Published "pue" or "wue" of operators, by "operator-year"."""
    return _below(table("datacenter"), f"{metric}/")


def embodied(kind: str) -> FactRange:
    """Embodied carbon over all sources of "gpu/nvidia-h100", "server", "lifetime" …

    Starts from the middle source. A GPU's high end is at least that of the bottom-up models, whose
    figures are about 3.5 times those of the makers. Raises ValueError for an unknown kind.
    """
    found = _below(table("embodied"), f"{kind}/")
    if not found:
        kinds = sorted({key.rpartition("/")[0] for key in table("embodied")} - {"spread"})
        raise ValueError(f"no embodied carbon of {kind!r}: there is {', '.join(kinds)}")
    middle = median_low(fact.value for fact in found.values())
    whole = replace(span(found.values()), value=middle)
    if not kind.startswith("gpu/"):
        return whole
    spread = table("embodied")["spread/bottom-up"]
    high = max(whole.high, whole.low * spread.value)
    return replace(whole, high=high, facts=(*whole.facts, spread))


def water(place: str) -> FactRange | None:
    """Off-site water of a grid (EWIF), L/kWh, over all sources; None where none has the place."""
    own = table("water").get(place)
    more = _below(table("water"), f"{place}/").values()
    return span(([own] if own else []) + list(more)) if own or more else None


def span(facts: Iterable[Fact]) -> FactRange:
    """The range of facts of one unit; `value` is the first fact's. Raises ValueError if none."""
    found = tuple(facts)
    if not found or len({fact.unit for fact in found}) > 1:
        raise ValueError("a range needs facts, all in one unit")
    values = [fact.value for fact in found]
    return FactRange(values[0], min(values), max(values), found[0].unit, found)


@lru_cache(maxsize=1)
def cloud_regions() -> dict[str, CloudRegion]:
    """Where each cloud region stands, by "aws:…", "azure:…" or "gcp:…"."""
    rows = _rows(HERE / "places" / "cloud_regions.csv")
    return {r["region"]: CloudRegion(r["region"], r["label"], r["place"]) for r in rows}


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _grouped(facts: Iterable[Fact]) -> dict[str, dict[str, Fact]]:
    groups: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        name, _, quantity = fact.key.rpartition("/")
        groups.setdefault(name, {})[quantity] = fact
    return groups


def _below(facts: dict[str, Fact], prefix: str) -> dict[str, Fact]:
    return {k.removeprefix(prefix): fact for k, fact in facts.items() if k.startswith(prefix)}


def _fact(row: dict[str, str], where: str) -> Fact:
    if list(row) != [field.name for field in fields(Fact)]:
        raise ValueError(f"{where}: the columns are not those of a fact")
    missing = [name for name in REQUIRED if not (row[name] or "").strip()]
    if missing:
        raise ValueError(f"{where}: no {', '.join(missing)}")
    try:
        value = float(row["value"])
    except ValueError:
        value = 0.0
    published_zero = row["value"] == "0" and ZERO in row["note"]
    if not (0 < value < float("inf") or published_zero):
        raise ValueError(f"{where}: the value {row['value']!r} is not a positive number")
    text = {name: cell for name, cell in row.items() if name != "value"}
    return Fact(value=value, **text)


@dataclass(frozen=True)
class DerivedQuantity:
    """`value` with its interval, in `unit`, and the fact that it rests on.

    `low` and `high` carry over the interval of what it was derived from; the fact adds none of its
    own, unless it is a range.
    """

    value: float
    low: float
    high: float
    unit: str
    label: str
    edition: str
    basis: str
    source: str
    source_url: str


Amount = float | Estimate | DerivedQuantity


def derive(amount: Amount, factor: float, unit: str, fact: Fact) -> DerivedQuantity:
    """An amount (with or without an interval) times `factor`, in `unit`, resting on `fact`."""
    value, low, high = value_low_high(amount)
    return DerivedQuantity(
        value=value * factor,
        low=low * factor,
        high=high * factor,
        unit=unit,
        label=fact.label,
        edition=fact.edition,
        basis=fact.basis,
        source=fact.source,
        source_url=fact.source_url,
    )


def widen(quantity: DerivedQuantity, factor: FactRange) -> DerivedQuantity:
    """A quantity times what several sources disagree on: its ends reach over both."""
    value, low, high = value_low_high(quantity)
    return replace(
        quantity, value=value * factor.value, low=low * factor.low, high=high * factor.high
    )


def value_low_high(amount: Amount) -> tuple[float, float, float]:
    """(value, low, high) of an amount, or three times the same number."""
    if isinstance(amount, float | int):
        return amount, amount, amount
    return amount.value, amount.low, amount.high

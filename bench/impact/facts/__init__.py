"""Readers of the fact tables, the csv files of this folder; quantities derived from a fact.

README.md in this folder describes the tables. A table is one csv file with the fields of `Fact` as
columns; a new file is a new table.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from pathlib import Path
from statistics import median_high
from typing import Any

from bench.results.interval import Interval, interval_json

FOLDER = Path(__file__).parent
REQUIRED = ("key", "label", "unit", "edition", "basis", "source", "licence")
# Tables of carbon intensity, in order of precedence for a place that is in several.
GRIDS = ("grid", "grid_us_states", "grid_provinces", "grid_google", "grid_clouds_2021")
PUBLISHED_ZERO = "0 as published"  # the note of a fact whose source gives 0


@dataclass(frozen=True)
class Fact:
    """One published figure: `value` in `unit`; `basis` states what it counts.

    Facts of different basis are never divided by each other. A value is above zero, except where
    the source itself gives 0 and the note states that.
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
class FactRange(Interval):
    """One quantity over several sources: from the least to the greatest of `facts`, in `unit`."""

    unit: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True)
class DerivedQuantity(Interval):
    """An amount times a fact, in `unit`: 0.019 kWh are 1 phone charge, 0.84 gCO2e in France.

    The interval is that of the amount, widened where the factor is a range.
    """

    unit: str
    fact: Fact

    def __mul__(self, factor: Interval | float) -> DerivedQuantity:
        return derive(self, factor, self.unit, self.fact)

    def as_json(self) -> dict[str, Any]:
        """The interval and its unit, with label, edition, basis and source of the fact."""
        fields = ("label", "edition", "basis", "source", "source_url")
        fact = {name: getattr(self.fact, name) for name in fields}
        return {**(interval_json(self) or {}), "unit": self.unit, **fact}


def tables() -> tuple[str, ...]:
    """The names of all fact tables."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.csv")))


@lru_cache(maxsize=64)
def table(name: str) -> dict[str, Fact]:
    """The facts of a table by key, in their order.

    Raises ValueError for an invalid row, and for a value outside the plausible range of its kind.
    """
    facts: dict[str, Fact] = {}
    for number, row in enumerate(read_rows(FOLDER / f"{name}.csv"), start=2):
        line = f"{name}.csv, line {number}"
        fact = _fact(row, line)
        if fact.key in facts:
            raise ValueError(f"{line}: {fact.key} is there twice")
        low, high = plausible_range(name, fact)
        if not low <= fact.value <= high:
            raise ValueError(f"{line}: {fact.value:g} {fact.unit} is not from {low:g} to {high:g}")
        facts[fact.key] = fact
    return facts


def plausible_range(table_name: str, fact: Fact) -> tuple[float, float]:
    """The least and greatest plausible value of a kind of fact, by checks/ranges.csv.

    The longest pattern of keys that fits applies. Raises ValueError where no row covers the table,
    key and unit of the fact.
    """
    rows = [
        row
        for row in _ranges()
        if table_name in row["tables"].split()
        and fnmatchcase(fact.key, row["keys"])
        and fnmatchcase(fact.unit, row["unit"])
    ]
    if not rows:
        raise ValueError(f"{table_name}/{fact.key}: no plausible range in {fact.unit}")
    row = max(rows, key=lambda row: len(row["keys"]))
    return float(row["low"]), float(row["high"])


def fact_by_name(name: str) -> Fact:
    """The fact named "table/key". Raises KeyError if there is none."""
    table_name, _, key = name.partition("/")
    return table(table_name)[key]


def grids() -> dict[str, Fact]:
    """Carbon intensity by place ("FR", "gcp:europe-west9"), from its first table of `GRIDS`."""
    first: dict[str, Fact] = {}
    for name in GRIDS:
        first |= {key: fact for key, fact in table(name).items() if key not in first}
    return first


def training_runs() -> dict[str, dict[str, Fact]]:
    """Published training runs: run -> quantity ("energy", "emissions", "pue", "grid" …) -> fact."""
    return _grouped(table("training").values())


def clouds() -> dict[str, dict[str, Fact]]:
    """Cloud regions: region -> "pue", "wue", "market" (market-based) or "carbon-free" -> fact."""
    return _grouped(table("cloud").values())


def datacenters(metric: str) -> dict[str, Fact]:
    """Published "pue" or "wue" of data-centre operators, by "operator-year"."""
    return _with_prefix(table("datacenter"), f"{metric}/")


def embodied_range(kind: str) -> FactRange:
    """Embodied carbon over all sources of "gpu/nvidia-h100", "server", "lifetime" …

    The value is the median source, the upper of two. A GPU's high end is at least that of the
    bottom-up models, whose figures are about 3.5 times those of the manufacturers. Raises
    ValueError for an unknown kind.
    """
    sources = _with_prefix(table("embodied"), f"{kind}/")
    if not sources:
        kinds = sorted({key.rpartition("/")[0] for key in table("embodied")} - {"spread"})
        raise ValueError(f"no embodied carbon of {kind!r}: choose one of {', '.join(kinds)}")
    median = median_high(fact.value for fact in sources.values())
    published = replace(fact_range(sources.values()), value=median)
    if not kind.startswith("gpu/"):
        return published
    spread = table("embodied")["spread/bottom-up"]
    high = max(published.high, published.low * spread.value)
    return replace(published, high=high, facts=(*published.facts, spread))


def water_range(place: str) -> FactRange | None:
    """Off-site water of a grid (EWIF), L/kWh, over all sources; None if no source has the place."""
    sources = list(_with_prefix(table("water"), f"{place}/").values())
    if place in table("water"):
        sources.insert(0, table("water")[place])
    return fact_range(sources) if sources else None


def fact_range(facts: Iterable[Fact]) -> FactRange:
    """The range over facts of one unit; `value` is that of the first. Raises ValueError if none."""
    sources = tuple(facts)
    if not sources or len({fact.unit for fact in sources}) > 1:
        raise ValueError("a range needs facts, all in one unit")
    values = [fact.value for fact in sources]
    return FactRange(values[0], min(values), max(values), sources[0].unit, sources)


def derive(
    amount: Interval | float, factor: Interval | float, unit: str, fact: Fact
) -> DerivedQuantity:
    """An amount (with or without an interval) times `factor`, in `unit`, derived from `fact`."""
    product = Interval.of(amount) * factor
    return DerivedQuantity(product.value, product.low, product.high, unit, fact)


@lru_cache(maxsize=1)
def cloud_regions() -> dict[str, dict[str, str]]:
    """The "label" and "place" of each cloud region: "aws:us-east-1" lies in "US-VA"."""
    return {row["region"]: row for row in read_rows(FOLDER / "places" / "cloud_regions.csv")}


@lru_cache(maxsize=1)
def other_names() -> dict[str, str]:
    """The key of each further name of a place: "Holland" is "NL"."""
    return {row["name"]: row["key"] for row in read_rows(FOLDER / "places" / "names.csv")}


def read_rows(path: Path) -> list[dict[str, str]]:
    """The rows of a csv file as dictionaries."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@lru_cache(maxsize=1)
def _ranges() -> list[dict[str, str]]:
    return read_rows(FOLDER / "checks" / "ranges.csv")


def _grouped(facts: Iterable[Fact]) -> dict[str, dict[str, Fact]]:
    groups: dict[str, dict[str, Fact]] = {}
    for fact in facts:
        name, _, quantity = fact.key.rpartition("/")
        groups.setdefault(name, {})[quantity] = fact
    return groups


def _with_prefix(facts: dict[str, Fact], prefix: str) -> dict[str, Fact]:
    return {k.removeprefix(prefix): fact for k, fact in facts.items() if k.startswith(prefix)}


def _fact(row: dict[str, str], line: str) -> Fact:
    if list(row) != [field.name for field in fields(Fact)]:
        raise ValueError(f"{line}: the columns are not those of a fact")
    missing = [name for name in REQUIRED if not (row[name] or "").strip()]
    if missing:
        raise ValueError(f"{line}: no {', '.join(missing)}")
    try:
        value = float(row["value"])
    except ValueError:
        value = 0.0
    published_zero = row["value"] == "0" and PUBLISHED_ZERO in row["note"]
    if not (0 < value < float("inf") or published_zero):
        raise ValueError(f"{line}: the value {row['value']!r} is not a positive number")
    text = {name: cell for name, cell in row.items() if name != "value"}
    return Fact(value=value, **text)

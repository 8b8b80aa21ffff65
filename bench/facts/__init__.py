"""Published facts, each with its unit, edition, source and licence, from the csv files here."""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path

HERE = Path(__file__).parent
REQUIRED = ("key", "label", "unit", "edition", "basis", "source", "licence")


@dataclass(frozen=True)
class Fact:
    """One published figure. `value` is in `unit`; `basis` says what it counts.

    Facts of different `basis` are never divided by each other.
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


@lru_cache(maxsize=16)
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
    """What an amount of energy (kWh) or carbon (gCO2e) compares to."""
    return table("equivalences")


def grids() -> dict[str, Fact]:
    """Carbon intensity of electricity, gCO2e/kWh, by "world", ISO 3166 code or US-state code."""
    return table("grid")


def gpus() -> dict[str, Fact]:
    """Thermal design power of accelerator boards, in watts."""
    return table("gpu")


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
    if not 0 < value < float("inf"):
        raise ValueError(f"{where}: the value {row['value']!r} is not a positive number")
    text = {name: cell for name, cell in row.items() if name != "value"}
    return Fact(value=value, **text)

"""A figure that was derived from energy with a published fact, and which fact that was."""

from __future__ import annotations

from dataclasses import dataclass

from bench.facts import Fact
from bench.records import Estimate


@dataclass(frozen=True)
class Quantity:
    """`value` with its interval, in `unit`, and the fact that it rests on.

    `low` and `high` carry over the interval of the energy; the fact adds none of its own.
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


def derive(energy_kwh: float | Estimate, factor: float, unit: str, fact: Fact) -> Quantity:
    """The energy (kWh, with or without an interval) times `factor`, resting on `fact`."""
    value, low, high = spread(energy_kwh)
    return Quantity(
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


def spread(energy: float | Estimate) -> tuple[float, float, float]:
    """(value, low, high) of an estimate, or three times the same number."""
    if isinstance(energy, Estimate):
        return energy.value, energy.low, energy.high
    return energy, energy, energy

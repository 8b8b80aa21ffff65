"""How many smartphone charges an energy is, by the edition of the figure that the reader picks."""

from __future__ import annotations

from bench import facts
from bench.footprint.quantity import Quantity, derive
from bench.records import Estimate

PREFIX = "phone-charge/"
DEFAULT_EDITION = "epa-current"


def editions() -> tuple[str, ...]:
    """The editions of the smartphone charge that can be picked, the default one first."""
    keys = (key for key in facts.equivalences() if key.startswith(PREFIX))
    return tuple(key.removeprefix(PREFIX) for key in keys)


def phone_charge(edition: str = DEFAULT_EDITION) -> facts.Fact:
    """What one smartphone charge takes from the wall, in kWh. Raises ValueError if unknown."""
    fact = facts.equivalences().get(PREFIX + edition)
    if fact is None:
        raise ValueError(f"unknown edition {edition!r}: choose one of {', '.join(editions())}")
    return fact


def phone_charges(energy_kwh: float | Estimate, edition: str = DEFAULT_EDITION) -> Quantity:
    """How many smartphone charges an energy in kWh is.

    It divides energy by energy; where the electricity comes from does not matter to it. Raises
    ValueError if the edition is unknown.
    """
    fact = phone_charge(edition)
    return derive(energy_kwh, 1 / fact.value, "smartphone charges", fact)

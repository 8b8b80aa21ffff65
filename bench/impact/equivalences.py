"""What an amount compares to: energy to energy, carbon to carbon, never one to the other."""

from __future__ import annotations

from bench.impact import facts
from bench.impact.facts import Amount, DerivedQuantity, derive

PREFIX = "phone-charge/"
DEFAULT_EDITION = "epa-current"

# What is shown of each dimension, smallest first; the other editions can be had by their key.
OF_ENERGY = (
    "microwave-second",
    "led-bulb-hour",
    "kettle-mug",
    "streaming-hour",
    "kettle-litre",
    "ev-km",
    "home-day-us",
    "home-year-us",
)
OF_CARBON = (
    "streaming-hour/carbon",
    "train-km",
    "car-km-eu",
    "car-mile-us",
    "flight-paris-london",
    "flight-ny-sf/2020",
    "human-year",
    "car-lifetime",
)
CARBON_UNITS = ("gCO2e", "gCO2")


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


def phone_charges(energy_kwh: Amount, edition: str = DEFAULT_EDITION) -> DerivedQuantity:
    """How many smartphone charges an energy in kWh is.

    It divides energy by energy; where the electricity comes from does not matter to it. Raises
    ValueError if the edition is unknown.
    """
    fact = phone_charge(edition)
    return derive(energy_kwh, 1 / fact.value, "smartphone charges", fact)


def of_energy(energy_kwh: Amount, key: str) -> DerivedQuantity:
    """How many of something an energy in kWh is: "led-bulb-hour", "kettle-litre", "home-day-us" …

    Raises ValueError if the key is unknown or does not stand for an energy.
    """
    fact = _fact(key)
    if fact.unit != "kWh":
        raise ValueError(f"{key} is {fact.unit}: energy compares to energy alone")
    return derive(energy_kwh, 1 / fact.value, fact.label, fact)


def of_carbon(grams: DerivedQuantity, key: str) -> DerivedQuantity:
    """How many of something a mass of CO2e is: "car-mile-us", "flight-paris-london" …

    The mass is one that `carbon.grams` gave, on a grid that the reader picked. Raises ValueError
    if the key is unknown, or if one of the two is no mass of CO2e.
    """
    fact = _fact(key)
    if fact.unit not in CARBON_UNITS or grams.unit not in CARBON_UNITS:
        raise ValueError(f"{key} is {fact.unit}, not {grams.unit}: carbon compares to carbon alone")
    return derive(grams, 1 / fact.value, fact.label, fact)


def all_of_energy(energy_kwh: Amount) -> list[DerivedQuantity]:
    """An energy in kWh as everything that is shown: charges in every edition first."""
    charges = [phone_charges(energy_kwh, edition) for edition in editions()]
    return charges + [of_energy(energy_kwh, key) for key in OF_ENERGY]


def all_of_carbon(grams: DerivedQuantity) -> list[DerivedQuantity]:
    """A mass of CO2e as everything that is shown: distances, flights, lifetimes."""
    return [of_carbon(grams, key) for key in OF_CARBON]


def _fact(key: str) -> facts.Fact:
    fact = facts.equivalences().get(key)
    if fact is None:
        raise ValueError(f"no equivalence {key!r}: choose one of {', '.join(facts.equivalences())}")
    return fact

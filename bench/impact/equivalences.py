"""Phone charges and other equivalences: energy as energy, carbon as carbon, never mixed."""

from __future__ import annotations

import tomllib

from bench.impact import facts
from bench.impact.facts import DerivedQuantity, Fact, derive
from bench.results.interval import Interval

PREFIX = "phone-charge/"
DEFAULT_EDITION = "epa-current"
_SHOWN = tomllib.loads((facts.FOLDER / "shown_equivalences.toml").read_text(encoding="utf-8"))
ENERGY_KEYS, CARBON_KEYS = tuple(_SHOWN["energy"]), tuple(_SHOWN["carbon"])
CARBON_UNITS = ("gCO2e", "gCO2")


def editions() -> tuple[str, ...]:
    """The editions of the smartphone charge, the default one first."""
    keys = (key for key in facts.table("equivalences") if key.startswith(PREFIX))
    return tuple(key.removeprefix(PREFIX) for key in keys)


def phone_charge(edition: str = DEFAULT_EDITION) -> Fact:
    """One phone charge at the wall socket, in kWh. Raises ValueError for an unknown edition."""
    if edition not in editions():
        raise ValueError(f"unknown edition {edition!r}: choose one of {', '.join(editions())}")
    return facts.table("equivalences")[PREFIX + edition]


def phone_charges(energy_kwh: Interval | float, edition: str = DEFAULT_EDITION) -> DerivedQuantity:
    """An energy in kWh divided by that of one smartphone charge (19 Wh, EPA, by default).

    Energy divided by energy is the same on every grid. Raises ValueError for an unknown edition.
    """
    fact = phone_charge(edition)
    return derive(energy_kwh, 1 / fact.value, "smartphone charges", fact)


def energy_equivalence(energy_kwh: Interval | float, key: str) -> DerivedQuantity:
    """An energy in kWh divided by that of "led-bulb-hour", "kettle-litre", "home-day-us" …

    Raises ValueError if the key is unknown or its fact is not an energy.
    """
    fact = _fact(key)
    if fact.unit != "kWh":
        raise ValueError(f"{key} is in {fact.unit}: energy is compared with energy only")
    return derive(energy_kwh, 1 / fact.value, fact.label, fact)


def carbon_equivalence(grams: DerivedQuantity, key: str) -> DerivedQuantity:
    """A mass of CO2e divided by that of "car-mile-us", "flight-paris-london" …

    `grams` comes from `carbon.co2e_grams`. Raises ValueError if the key is unknown, or if one of
    the two is not a mass of CO2e.
    """
    fact = _fact(key)
    if fact.unit not in CARBON_UNITS or grams.unit not in CARBON_UNITS:
        raise ValueError(
            f"{key} is in {fact.unit}, not {grams.unit}: carbon is compared with carbon only"
        )
    return derive(grams, 1 / fact.value, fact.label, fact)


def energy_equivalences(energy_kwh: Interval | float) -> list[DerivedQuantity]:
    """An energy in kWh as phone charges of every edition, then as everything of `ENERGY_KEYS`."""
    charges = [phone_charges(energy_kwh, edition) for edition in editions()]
    return charges + [energy_equivalence(energy_kwh, key) for key in ENERGY_KEYS]


def carbon_equivalences(grams: DerivedQuantity) -> list[DerivedQuantity]:
    """A mass of CO2e as everything of `CARBON_KEYS`: distances, flights, lifetimes."""
    return [carbon_equivalence(grams, key) for key in CARBON_KEYS]


def _fact(key: str) -> Fact:
    table = facts.table("equivalences")
    if key not in table:
        raise ValueError(f"no equivalence {key!r}: choose one of {', '.join(table)}")
    return table[key]

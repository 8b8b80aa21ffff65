"""Equivalences: energy is compared with energy, carbon with carbon."""

from __future__ import annotations

import pytest

from bench.impact import carbon, equivalences, facts
from bench.results.interval import Interval


@pytest.mark.parametrize(
    ("edition", "charges"),
    [
        ("epa-current", 100.0),
        ("epa-2019", 158.33333),
        ("epa-2024-01", 86.363636),
        ("iea-2025", 126.6666),
    ],
)
def test_phone_charges_by_edition(edition, charges):
    assert equivalences.phone_charges(1.9, edition).value == pytest.approx(charges, rel=1e-5)
    assert edition in equivalences.editions()


def test_default_edition_is_the_current_one_of_epa():
    charge = equivalences.phone_charges(0.019)
    assert (charge.value, charge.unit) == (pytest.approx(1.0), "smartphone charges")
    assert "EPA" in charge.fact.edition and charge.fact.source
    assert equivalences.editions()[0] == equivalences.DEFAULT_EDITION


def test_error_of_an_unknown_edition_names_the_known_ones():
    with pytest.raises(ValueError, match="iea-2025"):
        equivalences.phone_charges(1.0, "apple")


@pytest.mark.parametrize("key", equivalences.ENERGY_KEYS)
def test_energy_is_compared_with_energy_only(key):
    fact = facts.table("equivalences")[key]
    assert equivalences.energy_equivalence(10 * fact.value, key).value == pytest.approx(10)
    with pytest.raises(ValueError, match="carbon only"):
        equivalences.carbon_equivalence(carbon.co2e_grams(1.0, "FR"), key)


@pytest.mark.parametrize("key", equivalences.CARBON_KEYS)
def test_carbon_is_compared_with_carbon_only(key):
    fact = facts.table("equivalences")[key]
    grams = carbon.co2e_grams(Interval(2.0, 1.0, 3.0), "FR")
    quantity = equivalences.carbon_equivalence(grams, key)
    assert quantity.value == pytest.approx(2 * 44.18 / fact.value)
    assert quantity.high / quantity.low == pytest.approx(3)
    with pytest.raises(ValueError, match="energy only"):
        equivalences.energy_equivalence(1.0, key)
    with pytest.raises(ValueError, match="carbon only"):
        equivalences.carbon_equivalence(equivalences.phone_charges(1.0), key)


def test_phone_charge_is_an_energy_and_not_a_mass():
    """EPA's CO2 of a charge holds for one grid, so the table does not have it."""
    charges = [f for k, f in facts.table("equivalences").items() if "charge" in k]
    assert len(charges) == 4 and {fact.unit for fact in charges} == {"kWh"}
    assert len(equivalences.energy_equivalences(1.0)) == 12
    with pytest.raises(ValueError, match="led-bulb-hour"):
        equivalences.energy_equivalence(1.0, "elephant")

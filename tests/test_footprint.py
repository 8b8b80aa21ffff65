"""Footprint: energy converts through energy, carbon through carbon, and bases never mix."""

from __future__ import annotations

import pytest

from bench.footprint import carbon, equivalences
from bench.records import Estimate


@pytest.mark.parametrize(
    ("edition", "charges"),
    [
        ("epa-current", 100.0),
        ("epa-2019", 158.33333),
        ("epa-2024-01", 86.363636),
        ("iea-2025", 126.6666),
    ],
)
def test_the_four_editions_of_a_phone_charge(edition, charges):
    assert equivalences.phone_charges(1.9, edition).value == pytest.approx(charges, rel=1e-5)
    assert edition in equivalences.editions()


def test_the_default_edition_is_the_current_one_and_says_so():
    charge = equivalences.phone_charges(0.019)
    assert (charge.value, charge.unit) == (pytest.approx(1.0), "smartphone charges")
    assert "EPA" in charge.edition and charge.source
    assert equivalences.editions()[0] == equivalences.DEFAULT_EDITION


def test_an_unknown_edition_names_the_known_ones():
    with pytest.raises(ValueError, match="iea-2025"):
        equivalences.phone_charges(1.0, "apple")


def test_the_interval_comes_along():
    energy = Estimate(value=2.0, low=1.0, high=4.0, confidence_level=0.95, sample_count=5)
    grams = carbon.grams(energy, "world")
    assert (grams.low, grams.value, grams.high) == pytest.approx((472.94, 945.88, 1891.76))


def test_grids_of_one_table_can_be_compared():
    world, france, us = (carbon.grams(1.0, key) for key in ("world", "fr", "US"))
    assert world.basis == france.basis == us.basis == "life-cycle"
    assert carbon.ratio(world, france) == pytest.approx(472.94 / 44.18)


def test_no_ratio_across_bases():
    virginia = carbon.grams(1.0, "US-WV")
    assert (virginia.value, virginia.basis) == (893.06, "direct combustion")
    with pytest.raises(ValueError, match="direct combustion"):
        carbon.ratio(virginia, carbon.grams(1.0, "FR"))


def test_carbon_and_charges_have_no_ratio():
    with pytest.raises(ValueError, match="bases"):
        carbon.ratio(carbon.grams(1.0, "FR"), equivalences.phone_charges(1.0))


def test_an_unknown_grid_is_refused():
    with pytest.raises(ValueError, match="Atlantis"):
        carbon.grams(1.0, "Atlantis")

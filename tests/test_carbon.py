"""Grams of CO2e: grid factors, intervals, and ratios of one basis only."""

from __future__ import annotations

import pytest

from bench.impact import carbon, equivalences, facts
from bench.results.record import Estimate


def test_co2e_has_the_interval_of_the_energy():
    energy = Estimate(value=2.0, low=1.0, high=4.0, confidence_level=0.95, sample_count=5)
    grams = carbon.co2e_grams(energy, "world")
    assert (grams.low, grams.value, grams.high) == pytest.approx((472.94, 945.88, 1891.76))


def test_grids_of_one_basis_have_a_ratio():
    world, france, us = (carbon.co2e_grams(1.0, key) for key in ("world", "fr", "US"))
    assert world.fact.basis == france.fact.basis == us.fact.basis == "life-cycle"
    assert carbon.ratio(world, france) == pytest.approx(472.94 / 44.18)


def test_ratio_across_bases_is_refused():
    virginia = carbon.co2e_grams(1.0, "US-WV")
    assert (virginia.value, virginia.fact.basis) == (893.06, "direct combustion")
    with pytest.raises(ValueError, match="direct combustion"):
        carbon.ratio(virginia, carbon.co2e_grams(1.0, "FR"))


def test_ratio_of_carbon_and_phone_charges_is_refused():
    with pytest.raises(ValueError, match="bases"):
        carbon.ratio(carbon.co2e_grams(1.0, "FR"), equivalences.phone_charges(1.0))


def test_unknown_grid_is_refused():
    with pytest.raises(ValueError, match="Atlantis"):
        carbon.co2e_grams(1.0, "Atlantis")


def test_co2e_without_region_is_a_range_over_countries():
    anywhere = carbon.co2e_grams(1.0, None)
    assert (anywhere.low, anywhere.value, anywhere.high) == (20.83, 472.94, 1306.3)
    values = [fact.value for key, fact in facts.table("grid").items() if len(key) == 2]
    assert (min(values), max(values)) == (anywhere.low, anywhere.high)

"""Water on site and off site: sources, intervals, and the default of the world."""

from __future__ import annotations

import pytest

from bench.impact import regions, water
from bench.impact.facts import FactRange


def test_water_has_the_range_of_its_sources():
    """A GPT-3 request of 0.004 kWh, as Li et al. compute it: 2.2 mL and 14.704 mL."""
    pue = FactRange(1.17, 1.17, 1.17, "ratio", ())
    azure = water.water_use(0.004, regions.find("azure:francecentral"), pue)
    assert azure.on_site is not None and azure.on_site.unit == "L"
    assert (azure.on_site.low, azure.on_site.high) == pytest.approx((0.004 * 0.27, 0.0022))
    us = water.water_use(0.004, regions.find("US"), pue)
    assert us.off_site.low <= 0.014704 <= us.off_site.high and not us.is_world_default
    assert us.off_site.high / us.off_site.low == pytest.approx(4.35 / 3.1321)
    assert us.on_site is None


def test_unpublished_water_is_missing_or_the_default_of_the_world():
    nepal = water.water_use(1.0, regions.find("NP"), FactRange(1, 1, 1, "ratio", ()))
    assert nepal.on_site is None and nepal.is_world_default
    assert nepal.off_site.value == 3.908

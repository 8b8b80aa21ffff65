"""Region comparison: one basis, least carbon first, PUE and market-based figures."""

from __future__ import annotations

import pytest

from bench.impact import region_comparison, regions
from bench.results.record import Estimate


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high, confidence_level=0.95, sample_count=5)


def find(*names):
    return [regions.find(name) for name in names]


def test_regions_are_in_order_of_carbon():
    comparison = region_comparison.compare_regions(
        1287000.0, find("US", "FR", "PL"), regions.LIFE_CYCLE
    )
    assert [place.region.key for place in comparison.places] == ["FR", "US", "PL"]
    assert comparison.places[0].grams.value == pytest.approx(56.85966e6)
    assert {place.grams.fact.basis for place in comparison.places} == {"life-cycle"}


@pytest.mark.parametrize("name", region_comparison.GROUPS)
def test_no_comparison_mixes_bases(name):
    comparison = region_comparison.compare_regions(1.0, *region_comparison.region_group(name))
    assert len({place.factor.basis for place in comparison.places}) == 1
    assert len(comparison.places) > 10
    values = [place.grams.value for place in comparison.places]
    assert values == sorted(values)


def test_state_without_life_cycle_factor_uses_that_of_its_country():
    candidates = find("FR", "US-WV")
    assert region_comparison.common_basis(candidates) == regions.LIFE_CYCLE
    comparison = {
        p.region.key: p
        for p in region_comparison.compare_regions(1.0, candidates, regions.LIFE_CYCLE).places
    }
    assert (
        comparison["US-WV"].factor_place == "United States"
        and comparison["FR"].factor_place is None
    )
    direct = region_comparison.compare_regions(1.0, candidates, regions.DIRECT)
    assert [p.region.key for p in direct.places] == ["US-WV"]
    assert [region.key for region in direct.omitted] == ["FR"]


def test_regions_without_a_common_basis_are_not_compared():
    shanghai, sydney = find("CN-SH", "AU-NSW")
    assert region_comparison.common_basis([shanghai, sydney]) == regions.LIFE_CYCLE
    with pytest.raises(ValueError, match="basis"):
        region_comparison.compare_regions(1.0, [shanghai], "operational, as Google publishes it")


def test_interval_includes_that_of_the_pue():
    (paris,) = region_comparison.compare_regions(
        estimate(10.0, 9.0, 11.0), find("azure:francecentral"), "life-cycle"
    ).places
    assert (paris.grams.low, paris.grams.value, paris.grams.high) == pytest.approx(
        (9 * 44.18 * 1.17, 10 * 44.18 * 1.17, 11 * 44.18 * 1.18)
    )
    (custom,) = region_comparison.compare_regions(
        10.0, find("azure:francecentral"), "life-cycle", pue=1.5
    ).places
    assert custom.grams.value == custom.grams.high == pytest.approx(10 * 44.18 * 1.5)


def test_market_based_is_shown_in_addition_to_location_based():
    (paris,) = region_comparison.compare_regions(10.0, find("aws:eu-west-3"), "life-cycle").places
    assert paris.market is not None and paris.market.value == 0
    assert paris.market.fact.basis == "market-based" and paris.grams.value > 0

"""Region comparison: a ranking for each basis, borrowed factors, PUE, market-based figures."""

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
def test_no_ranking_mixes_bases_or_holds_a_borrowed_factor(name):
    candidates, bases = region_comparison.region_group(name)
    for basis in bases:
        comparison = region_comparison.compare_regions(1.0, candidates, basis)
        assert {place.factor.basis for place in comparison.places} == {basis}
        assert len(comparison.places) > 5
        assert not [p for p in comparison.places if p.factor.borrowed_from]
        assert [p.rank for p in comparison.places] == [*range(1, len(comparison.places) + 1)]
        values = [place.grams.value for place in comparison.places]
        assert values == sorted(values)
        assert all(p.factor.borrowed_from and p.rank is None for p in comparison.borrowed)
        counted = (*comparison.places, *comparison.borrowed, *comparison.omitted)
        assert len(counted) == len(candidates)


def test_region_that_borrows_a_factor_is_shown_without_a_rank():
    candidates = find("FR", "US-WV", "aws:us-east-1")
    life_cycle = region_comparison.compare_regions(1.0, candidates, regions.LIFE_CYCLE)
    assert [place.region.key for place in life_cycle.places] == ["FR"]
    borrowed = {p.region.key: (p.factor.borrowed_from, p.rank) for p in life_cycle.borrowed}
    assert borrowed == dict.fromkeys(("US-WV", "aws:us-east-1"), ("United States", None))
    direct = region_comparison.compare_regions(1.0, candidates, regions.DIRECT)
    assert [(p.region.key, p.rank) for p in direct.places] == [("aws:us-east-1", 1), ("US-WV", 2)]
    assert [region.key for region in direct.omitted] == ["FR"]


@pytest.mark.parametrize(
    ("names", "bases"),
    [
        (("US-WV",), ("direct combustion",)),
        (("gcp:europe-west9",), ("operational, as Google publishes it",)),
        (("FR", "DE", "aws:eu-west-3"), ("life-cycle",)),
        (("US-WV", "US-CA", "aws:us-east-1", "US"), ("direct combustion",)),
        (("FR", "US-WV"), ("life-cycle", "direct combustion")),
        (("gcp:us-central1", "gcp:europe-west1"), ("operational, as Google publishes it",)),
        (("CN-SH", "AU-NSW"), ("life-cycle",)),
    ],
)
def test_each_basis_of_own_factors_is_a_ranking(names, bases):
    assert region_comparison.bases_to_rank(find(*names)) == bases


def test_basis_that_no_region_has_is_refused():
    with pytest.raises(ValueError, match="basis"):
        region_comparison.compare_regions(1.0, find("CN-SH"), "operational, as Google publishes it")


def test_pue_is_one_for_all_regions_without_the_option_for_published_ones():
    energy = estimate(10.0, 9.0, 11.0)

    def ends(*names, **pue):
        places = region_comparison.compare_regions(energy, find(*names), "life-cycle", **pue).places
        return [(place.grams.low, place.grams.value, place.grams.high) for place in places]

    grams = (9 * 44.18, 10 * 44.18, 11 * 44.18)
    france_and_paris = ends("FR", "azure:francecentral")
    assert france_and_paris == [pytest.approx(grams)] * 2
    (published,) = ends("azure:francecentral", published_pue=True)
    assert published == pytest.approx((grams[0] * 1.17, grams[1] * 1.17, grams[2] * 1.18))
    assert ends("FR", pue=1.5) == [pytest.approx([1.5 * end for end in grams])]
    with pytest.raises(ValueError, match="no PUE of France"):
        ends("FR", "azure:francecentral", published_pue=True)


def test_market_based_is_shown_in_addition_to_location_based():
    (paris,) = region_comparison.compare_regions(10.0, find("aws:eu-west-3"), "life-cycle").places
    assert paris.market is not None and paris.market.value == 0
    assert paris.market.fact.basis == "market-based" and paris.grams.value > 0

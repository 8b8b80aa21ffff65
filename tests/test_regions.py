"""Regions by code or name: nearest factor first, unknown and ambiguous names refused."""

from __future__ import annotations

import pytest

from bench.impact import facts, regions


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("FR", "FR"),
        ("france", "FR"),
        ("us-wv", "US-WV"),
        ("Quebec", "CA-QC"),
        ("AWS:eu-west-3", "aws:eu-west-3"),
        ("gcp:europe-west9", "gcp:europe-west9"),
        ("azure:francecentral", "azure:francecentral"),
        (" world ", "world"),
        ("UK", "GB"),
        ("England", "GB"),
        ("Scotland", "GB"),
        ("USA", "US"),
        ("Holland", "NL"),
        ("Korea", "KR"),
        ("Türkiye", "TR"),
        ("Québec", "CA-QC"),
        ("DEU", "DE"),
        ("Hong Kong", "HK"),
    ],
)
def test_region_is_found_by_code_or_name(name, key):
    assert regions.find(name).key == key


@pytest.mark.parametrize(
    ("name", "near"),
    [("Frnace", "FR"), ("aws:eu-west-33", "aws:eu-west-3"), ("US-WX", "US-WV"), ("###", "aws:")],
)
def test_error_of_an_unknown_region_names_the_nearest(name, near):
    with pytest.raises(ValueError, match=near):
        regions.find(name)


def test_ambiguous_name_is_refused():
    with pytest.raises(ValueError, match="aws:eu-west-3, azure:francecentral, gcp:europe-west9"):
        regions.find("Paris")
    with pytest.raises(ValueError, match=r"GE \(the country\), US-GA \(United States\)$"):
        regions.find("Georgia")
    assert regions.find("Oregon").key == "US-OR", "a place takes precedence over cloud regions"


def test_further_names_are_of_regions_and_replace_no_label():
    labels = {fact.label.lower() for key, fact in facts.grids().items() if ":" not in key}
    for name, key in facts.other_names().items():
        assert regions.find(name).key == key, name
        assert name.lower() not in labels, name


def test_nearest_factor_comes_first_in_each_basis():
    virginia = regions.find("aws:us-east-1")
    assert virginia.places == ("aws:us-east-1", "US-VA", "US")
    assert virginia.factor().key == "US-VA" and virginia.factor().basis == regions.DIRECT
    assert virginia.factor(regions.LIFE_CYCLE).key == "US"
    paris = regions.find("aws:eu-west-3")
    assert paris.factor().value == 44.18, "not the older factor of the same cloud region"
    assert paris.factor(regions.DIRECT) is None
    assert regions.find("gcp:europe-west9").factor().value == 16.3


def test_market_based_factor_is_separate():
    assert regions.find("aws:eu-west-3").market.value == 0
    assert regions.find("azure:francecentral").market is None
    assert regions.find("FR").market is None


def test_pue_and_water_are_those_of_the_region_or_its_provider():
    cape_town = regions.find("aws:af-south-1")
    assert (cape_town.pue.low, cape_town.pue.high) == (1.24, 1.24)
    azure = regions.find("azure:francecentral")
    assert (azure.pue.low, azure.pue.value, azure.pue.high) == (1.17, 1.17, 1.18)
    assert (azure.wue.low, azure.wue.value, azure.wue.high) == (0.27, 0.27, 0.55)
    assert regions.find("FR").pue is None and regions.find("FR").wue is None


def test_every_region_has_a_factor():
    all_regions = regions.all_regions()
    assert len(all_regions) > 400 and all(region.factor() for region in all_regions)

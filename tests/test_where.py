"""The same work elsewhere and at other hours: one basis, ends that reach over the sources."""

from __future__ import annotations

import pytest

from bench.impact import (
    carbon,
    equivalences,
    facts,
    hourly_profile,
    region_comparison,
    regions,
    water,
)
from bench.results.record import Estimate


def energy(value, low, high):
    return Estimate(value=value, low=low, high=high, confidence_level=0.95, sample_count=5)


def find(*names):
    return [regions.find(name) for name in names]


def test_places_of_one_basis_come_in_order_of_carbon():
    found = region_comparison.compare_regions(1287000.0, find("US", "FR", "PL"), regions.LIFE_CYCLE)
    assert [place.region.key for place in found.places] == ["FR", "US", "PL"]
    assert found.places[0].grams.value == pytest.approx(56.85966e6)
    assert {place.grams.fact.basis for place in found.places} == {"life-cycle"}


@pytest.mark.parametrize("name", region_comparison.GROUPS)
def test_no_comparison_mixes_bases(name):
    found = region_comparison.compare_regions(1.0, *region_comparison.region_group(name))
    assert len({place.factor.basis for place in found.places}) == 1
    assert len(found.places) > 10
    values = [place.grams.value for place in found.places]
    assert values == sorted(values)


def test_a_state_without_a_life_cycle_factor_borrows_its_country_s_and_says_so():
    asked = find("FR", "US-WV")
    assert region_comparison.common_basis(asked) == regions.LIFE_CYCLE
    found = {
        p.region.key: p
        for p in region_comparison.compare_regions(1.0, asked, regions.LIFE_CYCLE).places
    }
    assert found["US-WV"].factor_place == "United States" and found["FR"].factor_place is None
    direct = region_comparison.compare_regions(1.0, asked, regions.DIRECT)
    assert [p.region.key for p in direct.places] == ["US-WV"]
    assert [region.key for region in direct.omitted] == ["FR"]


def test_regions_without_a_common_basis_are_not_compared():
    shanghai, sydney = find("CN-SH", "AU-NSW")
    assert region_comparison.common_basis([shanghai, sydney]) == regions.LIFE_CYCLE
    with pytest.raises(ValueError, match="basis"):
        region_comparison.compare_regions(1.0, [shanghai], "operational, as Google publishes it")


def test_pue_widens_what_it_multiplies():
    (paris,) = region_comparison.compare_regions(
        energy(10.0, 9.0, 11.0), find("azure:francecentral"), "life-cycle"
    ).places
    assert (paris.grams.low, paris.grams.value, paris.grams.high) == pytest.approx(
        (9 * 44.18 * 1.17, 10 * 44.18 * 1.17, 11 * 44.18 * 1.18)
    )
    (given,) = region_comparison.compare_regions(
        10.0, find("azure:francecentral"), "life-cycle", pue=1.5
    ).places
    assert given.grams.value == given.grams.high == pytest.approx(10 * 44.18 * 1.5)


def test_market_based_stands_beside_and_never_instead():
    (paris,) = region_comparison.compare_regions(10.0, find("aws:eu-west-3"), "life-cycle").places
    assert paris.market is not None and paris.market.value == 0
    assert paris.market.fact.basis == "market-based" and paris.grams.value > 0


def test_an_unknown_place_is_a_range_over_countries():
    anywhere = carbon.co2e_grams(1.0, None)
    assert (anywhere.low, anywhere.value, anywhere.high) == (20.83, 472.94, 1306.3)
    values = [fact.value for key, fact in facts.table("grid").items() if len(key) == 2]
    assert (min(values), max(values)) == (anywhere.low, anywhere.high)


def test_water_on_site_and_off_site_with_the_spread_of_its_sources():
    """A GPT-3 request of 0.004 kWh, as Li et al. compute it: 2.2 mL and 14.704 mL."""
    pue = facts.FactRange(1.17, 1.17, 1.17, "ratio", ())
    azure = water.water_use(0.004, regions.find("azure:francecentral"), pue)
    assert azure.on_site is not None and azure.on_site.unit == "L"
    assert (azure.on_site.low, azure.on_site.high) == pytest.approx((0.004 * 0.27, 0.0022))
    us = water.water_use(0.004, regions.find("US"), pue)
    assert us.off_site.low <= 0.014704 <= us.off_site.high and not us.is_world_default
    assert us.off_site.high / us.off_site.low == pytest.approx(4.35 / 3.1321)
    assert us.on_site is None


def test_water_that_nobody_published_is_missing_or_the_world_s_default():
    nepal = water.water_use(1.0, regions.find("NP"), facts.FactRange(1, 1, 1, "ratio", ()))
    assert nepal.on_site is None and nepal.is_world_default
    assert nepal.off_site.value == 3.908


@pytest.mark.parametrize("key", equivalences.ENERGY_KEYS)
def test_energy_compares_to_energy(key):
    fact = facts.equivalences()[key]
    assert equivalences.energy_equivalence(10 * fact.value, key).value == pytest.approx(10)
    with pytest.raises(ValueError, match="carbon only"):
        equivalences.carbon_equivalence(carbon.co2e_grams(1.0, "FR"), key)


@pytest.mark.parametrize("key", equivalences.CARBON_KEYS)
def test_carbon_compares_to_carbon(key):
    fact = facts.equivalences()[key]
    grams = carbon.co2e_grams(energy(2.0, 1.0, 3.0), "FR")
    found = equivalences.carbon_equivalence(grams, key)
    assert found.value == pytest.approx(2 * 44.18 / fact.value)
    assert found.high / found.low == pytest.approx(3)
    with pytest.raises(ValueError, match="energy only"):
        equivalences.energy_equivalence(1.0, key)
    with pytest.raises(ValueError, match="carbon only"):
        equivalences.carbon_equivalence(equivalences.phone_charges(1.0), key)


def test_no_equivalence_is_a_charge_in_grams():
    """EPA's CO2 of a charge holds for one grid; it is not there to be mixed with another."""
    charges = [f for k, f in facts.equivalences().items() if "charge" in k]
    assert len(charges) == 4 and {fact.unit for fact in charges} == {"kWh"}
    assert len(equivalences.energy_equivalences(1.0)) == 12
    with pytest.raises(ValueError, match="led-bulb-hour"):
        equivalences.energy_equivalence(1.0, "elephant")


def day(**changes):
    values = {hour: 100.0 + hour for hour in range(24)} | {int(k): v for k, v in changes.items()}
    return "hour,gco2e_per_kwh\n" + "".join(f"{h},{v}\n" for h, v in values.items())


def test_the_best_hours_go_over_midnight():
    profile = hourly_profile.read(day(**{"23": 1.0, "0": 2.0}), "day.csv")
    best = hourly_profile.windows(profile, 2)[0]
    assert (best.start, best.end, best.intensity) == (23, 1, 1.5)
    assert hourly_profile.windows(profile)[0].intensity == 1.0
    assert hourly_profile.windows(profile, 24)[0].intensity == pytest.approx(profile.mean)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "hour, gco2e_per_kwh"),
        ("", "none"),
        (day() + "5,3\n", "twice"),
        ("hour,gco2e_per_kwh\n0,5\n", "lacks the hours 1, 2"),
        (day().replace("3,103.0", "-3,103.0"), "'-3'"),
        (day().replace("3,103.0", "3,-1"), "'-1'"),
        (day().replace("3,103.0", "3,nan"), "'nan'"),
        (day().replace("3,103.0", "3.5,1"), "'3.5'"),
        (day().replace("3,103.0", "24,1"), "'24'"),
        (day().replace("3,103.0", "3"), "None"),
    ],
)
def test_a_day_that_is_none_is_refused(text, said):
    with pytest.raises(ValueError, match=said):
        hourly_profile.read(text, "day.csv")


@pytest.mark.parametrize("length", [0, -2, 25])
def test_a_job_that_fits_into_no_day_is_refused(length):
    with pytest.raises(ValueError, match="does not fit"):
        hourly_profile.windows(hourly_profile.read(day(), "day.csv"), length)

"""Footprint: energy converts through energy, carbon through carbon, and bases never mix."""

from __future__ import annotations

import pytest

from bench.impact import carbon, equivalences
from bench.results import formatting
from bench.results.record import Estimate


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
    assert "EPA" in charge.fact.edition and charge.fact.source
    assert equivalences.editions()[0] == equivalences.DEFAULT_EDITION


def test_an_unknown_edition_names_the_known_ones():
    with pytest.raises(ValueError, match="iea-2025"):
        equivalences.phone_charges(1.0, "apple")


def test_the_interval_comes_along():
    energy = Estimate(value=2.0, low=1.0, high=4.0, confidence_level=0.95, sample_count=5)
    grams = carbon.co2e_grams(energy, "world")
    assert (grams.low, grams.value, grams.high) == pytest.approx((472.94, 945.88, 1891.76))


def test_grids_of_one_table_can_be_compared():
    world, france, us = (carbon.co2e_grams(1.0, key) for key in ("world", "fr", "US"))
    assert world.fact.basis == france.fact.basis == us.fact.basis == "life-cycle"
    assert carbon.ratio(world, france) == pytest.approx(472.94 / 44.18)


def test_no_ratio_across_bases():
    virginia = carbon.co2e_grams(1.0, "US-WV")
    assert (virginia.value, virginia.fact.basis) == (893.06, "direct combustion")
    with pytest.raises(ValueError, match="direct combustion"):
        carbon.ratio(virginia, carbon.co2e_grams(1.0, "FR"))


def test_carbon_and_charges_have_no_ratio():
    with pytest.raises(ValueError, match="bases"):
        carbon.ratio(carbon.co2e_grams(1.0, "FR"), equivalences.phone_charges(1.0))


def test_an_unknown_grid_is_refused():
    with pytest.raises(ValueError, match="Atlantis"):
        carbon.co2e_grams(1.0, "Atlantis")


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high, confidence_level=0.95, sample_count=5)


@pytest.mark.parametrize(
    ("figure", "shown"),
    [
        ((8.3333, 7.9132, 8.7534), ("8.3", "7.9", "8.8")),
        ((1.04, 0.99, 1.09), ("1.04", "0.99", "1.09")),
        ((4711.0, 4475.0, 4947.0), ("4,700", "4,500", "4,900")),
        ((17.2, 3.9, 30.5), ("17", "4", "30")),
        ((12.0, 3.0, 21.0), ("12", "3", "21")),
        ((0.0703, -0.006, 0.147), ("0.070", "0", "0.147")),
        ((0.0703, 0.0001, 0.147), ("0.070", "0", "0.147")),
        ((3.0, 2.9999, 3.0001), ("3.000", "3.000", "3.000")),
        ((9.96, 4.0, 16.0), ("10", "4", "16")),
        ((2e-8, -1e-8, 5e-8), ("2.0e-08", "0", "5.0e-08")),
        ((0.0, 0.0, 0.0), ("0", "0", "0.0")),
    ],
)
def test_a_derived_figure_has_no_more_digits_than_its_interval_leaves(figure, shown):
    assert formatting.format_rough(*figure) == shown


def test_what_cannot_be_negative_is_not_shown_below_zero():
    assert formatting.format_nonnegative(estimate(0.5, -0.2, 1.2)) == ("0.50", "0", "1.20")
    assert formatting.format_nonnegative(
        estimate(500.0, 480.0, 520.0)
    ) == formatting.format_interval(estimate(500.0, 480.0, 520.0))
    assert formatting.format_interval(estimate(0.5, -0.2, 1.2))[1] == "-0.20", (
        "net energy may be negative"
    )
    assert formatting.format_nonnegative(None) == (formatting.MISSING,) * 3


def test_a_scale_error_leaves_few_digits():
    fine = estimate(16.954, 16.9, 17.0)
    assert formatting.format_nonnegative(fine)[0] == "16.95"
    assert formatting.format_nonnegative(fine, 1.0, 0.75) == ("17", "17", "17")
    assert formatting.format_nonnegative(estimate(1.3355, 0.2845, 2.3866), 1.0, 0.75) == (
        "1.3",
        "0.3",
        "2.4",
    )


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100"), (0.0, "0"), (0.93, "93.0"), (0.9994, "99.9")]
)
def test_a_perfect_score_needs_no_decimals(share, text):
    assert formatting.format_percent(share) == text

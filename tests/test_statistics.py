"""Intervals and ratios against values from published tables."""

import math

import pytest

from bench.results import statistics
from bench.results.analysis_versions import analysis_parameters
from bench.results.calibration import ratio_with_calibration
from bench.results.correlated_mean import half_width_v1, lag1_correlation
from bench.results.record import Estimate
from bench.results.student_t import student_quantile


# Two-sided quantiles of Student's t, as every table prints them.
@pytest.mark.parametrize(
    ("confidence", "freedom", "expected"),
    [(0.95, 1, 12.706), (0.95, 4, 2.776), (0.95, 5, 2.571), (0.98, 4, 3.747), (0.95, 29, 2.045),
     (0.98, 29, 2.462), (0.99, 10, 3.169), (0.95, 2, 4.303)],
)  # fmt: skip
def test_student_quantile_matches_published_tables(confidence, freedom, expected):
    assert student_quantile(confidence, freedom) == pytest.approx(expected, abs=6e-4)


def test_interval_of_version_1_of_alternating_values_has_no_correlation():
    values = [1.0, 2.0] * 5
    assert lag1_correlation(values) == 0.0
    half = half_width_v1(values, analysis_parameters(1))
    expected = 2.821 * math.sqrt(10 * 0.25 / 9 / 10)
    assert half == pytest.approx(expected, rel=1e-3)


def estimate(value, half):
    return Estimate(
        value=value, low=value - half, high=value + half, confidence_level=0.95, sample_count=9
    )


def test_ratio_contains_both_intervals_and_both_calibrations():
    a, b = estimate(2.0, 0.06), estimate(1.0, 0.04)
    same_card = statistics.ratio(a, b)
    assert same_card.value == 2.0
    half = math.hypot(math.log(2.06 / 1.94) / 2, math.log(1.04 / 0.96) / 2)
    assert math.log(same_card.high / 2.0) == pytest.approx(half)
    across = ratio_with_calibration(a, b, (0.05, 0.05))
    calibration = 1.96 * 0.05 * math.sqrt(2 / 3)
    assert math.log(across.high / 2.0) == pytest.approx(math.hypot(half, calibration), rel=1e-4)


def test_ratio_with_zero_is_refused():
    with pytest.raises(ValueError, match="positive"):
        statistics.ratio(estimate(1.0, 0.1), estimate(0.0, 0.0))


# Wilson's interval for 8 of 10, as in Newcombe 1998's method 3: 0.4902 to 0.9433.
def test_wilson_interval_matches_the_published_example():
    value, low, high = statistics.wilson_interval([1.0] * 8 + [0.0] * 2)
    assert value == 0.8
    assert (low, high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_wilson_interval_stays_between_0_and_1():
    assert statistics.wilson_interval([1.0] * 20)[2] == 1.0
    assert statistics.wilson_interval([0.0] * 20)[1] == 0.0

"""Numbers and intervals as text."""

from __future__ import annotations

import pytest

from bench.results import formatting
from bench.results.record import Estimate


def estimate(value, low, high):
    return Estimate(value=value, low=low, high=high, confidence_level=0.95, sample_count=5)


@pytest.mark.parametrize(
    ("numbers", "texts"),
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
def test_digits_follow_the_width_of_the_interval(numbers, texts):
    assert formatting.format_rough(*numbers) == texts


def test_nonnegative_interval_starts_at_zero():
    assert formatting.format_nonnegative(estimate(0.5, -0.2, 1.2)) == ("0.50", "0", "1.20")
    assert formatting.format_nonnegative(
        estimate(500.0, 480.0, 520.0)
    ) == formatting.format_interval(estimate(500.0, 480.0, 520.0))
    assert formatting.format_interval(estimate(0.5, -0.2, 1.2))[1] == "-0.20", (
        "net energy may be negative"
    )
    assert formatting.format_nonnegative(None) == (formatting.MISSING,) * 3


def test_calibration_uncertainty_reduces_digits():
    narrow = estimate(16.954, 16.9, 17.0)
    assert formatting.format_nonnegative(narrow)[0] == "16.95"
    assert formatting.format_nonnegative(narrow, 1.0, 0.75) == ("17", "17", "17")
    assert formatting.format_nonnegative(estimate(1.3355, 0.2845, 2.3866), 1.0, 0.75) == (
        "1.3",
        "0.3",
        "2.4",
    )


@pytest.mark.parametrize(
    ("share", "text"), [(1.0, "100"), (0.0, "0"), (0.93, "93.0"), (0.9994, "99.9")]
)
def test_zero_and_full_percent_have_no_decimals(share, text):
    assert formatting.format_percent(share) == text

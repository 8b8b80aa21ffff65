"""Hourly profiles: the best hours of a profile_csv, and refused files."""

from __future__ import annotations

import pytest

from bench.impact import hourly_profile


def profile_csv(**changes):
    values = {hour: 100.0 + hour for hour in range(24)} | {int(k): v for k, v in changes.items()}
    return "hour,gco2e_per_kwh\n" + "".join(f"{h},{v}\n" for h, v in values.items())


def test_best_window_may_span_midnight():
    profile = hourly_profile.read(profile_csv(**{"23": 1.0, "0": 2.0}), "day.csv")
    best = hourly_profile.windows(profile, 2)[0]
    assert (best.start, best.end, best.intensity) == (23, 1, 1.5)
    assert hourly_profile.windows(profile)[0].intensity == 1.0
    assert hourly_profile.windows(profile, 24)[0].intensity == pytest.approx(profile.mean)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n", "hour, gco2e_per_kwh"),
        ("", "none"),
        (profile_csv() + "5,3\n", "twice"),
        ("hour,gco2e_per_kwh\n0,5\n", "lacks the hours 1, 2"),
        (profile_csv().replace("3,103.0", "-3,103.0"), "'-3'"),
        (profile_csv().replace("3,103.0", "3,-1"), "'-1'"),
        (profile_csv().replace("3,103.0", "3,nan"), "'nan'"),
        (profile_csv().replace("3,103.0", "3.5,1"), "'3.5'"),
        (profile_csv().replace("3,103.0", "24,1"), "'24'"),
        (profile_csv().replace("3,103.0", "3"), "None"),
    ],
)
def test_invalid_profile_is_refused(text, message):
    with pytest.raises(ValueError, match=message):
        hourly_profile.read(text, "day.csv")


@pytest.mark.parametrize("length", [0, -2, 25])
def test_job_longer_than_a_day_is_refused(length):
    with pytest.raises(ValueError, match="does not fit"):
        hourly_profile.windows(hourly_profile.read(profile_csv(), "day.csv"), length)

"""Estimates of jobs that were not measured, and the command `joulebench estimate`."""

from __future__ import annotations

import json

import pytest
from command_line import error_of, joulebench

from bench.impact import job_estimate, lifecycle, published_trainings
from bench.results.interval import Interval


def test_estimate_of_a_job_like_bloom_contains_bloom():
    job = job_estimate.JobDescription("A100 SXM4 80GB", 384, 2820, "FR", 1.2)
    estimate = job_estimate.estimate_job(job)
    assert estimate.ml_co2_kwh == pytest.approx(384 * 2820 * 0.4)
    assert estimate.ml_co2_grams.value == pytest.approx(384 * 2820 * 0.4 * 44.18)
    assert estimate.energy_kwh.low < estimate.ml_co2_kwh < estimate.energy_kwh.high
    assert estimate.steps[0][1] == Interval.of(estimate.ml_co2_kwh)
    assert estimate.steps[-1][1].value == pytest.approx(estimate.energy_kwh.value)
    assert estimate.grams.value > estimate.operational_grams.value
    # Dynamic and idle energy of BLOOM as published lie inside the estimate.
    bloom = lifecycle.plan_lifecycle(published_trainings.published_plan("bloom-176b"))
    published = bloom.stage("dynamic").energy_kwh.value + bloom.stage("idle").energy_kwh.value
    assert estimate.energy_kwh.low < published < estimate.energy_kwh.high


def test_estimate_is_labelled_as_an_estimate():
    arguments = (
        "--hardware",
        "A100 SXM4 80GB",
        "--count",
        "384",
        "--hours",
        "2820",
        "--pue",
        "1.2",
    )
    output = " ".join(joulebench("estimate", *arguments, "--region", "FR").stdout.split())
    for text in ("an estimate, NOT measured", "433 MWh", "500 (283 to 828) MWh", "why the two"):
        assert text in output
    estimate = json.loads(joulebench("estimate", *arguments, "--json").stdout)
    assert estimate["kind"] == "estimate" and estimate["caveats"]
    assert estimate["grid"]["gco2e_per_kwh"]["low"] < estimate["grid"]["gco2e_per_kwh"]["high"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--hardware", "A1000", "--hours", "1"), "A100"),
        (("--hardware", "A100", "--hours", "1"), "is ambiguous"),
        (("--hardware", "T4", "--hours", "-5"), "hours must be above zero"),
        (("--hardware", "T4", "--hours", "nan"), "hours must be above zero"),
        (("--hardware", "T4", "--hours", "1", "--count", "0"), "count must be above zero"),
        (("--hardware", "T4", "--hours", "1", "--region", "Atlantis"), "region"),
        (("--hardware", "T4", "--hours", "1", "--pue", "0.5"), "PUE"),
    ],
)
def test_bad_input_of_estimate_is_refused(arguments, message):
    assert message in error_of("estimate", *arguments)

"""The interval of a mean of correlated samples: against matrices, and by its coverage."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.results.correlated_mean import (
    CORRELATIONS,
    between_runs_half_width,
    by_process,
    mean_half_width,
)
from bench.results.student_t import student_quantile


def half_width_by_matrices(processes):
    """The same mixture with every matrix written out: generalised least squares by numpy."""
    total, freedom = sum(map(len, processes)), sum(map(len, processes)) - len(processes)
    weights, variances = [], []
    for r in CORRELATIONS:
        residual = shift = variance = log_weight = 0.0
        for samples in processes:
            x, n = np.array(samples), len(samples)
            v = r ** np.abs(np.subtract.outer(np.arange(n), np.arange(n))) if r else np.eye(n)
            inverse, ones = np.linalg.inv(v), np.ones(n)
            precision = ones @ inverse @ ones
            centre = ones @ inverse @ x / precision
            residual += x @ inverse @ x - centre**2 * precision
            shift += n / total * (centre - x.mean())
            variance += (n / total) ** 2 / precision
            log_weight -= (np.linalg.slogdet(v)[1] + math.log(precision)) / 2
        weights.append(log_weight - freedom / 2 * math.log(residual))
        variances.append(residual / freedom * variance + shift**2)
    share = np.exp(np.array(weights) - max(weights))
    return student_quantile(0.95, freedom) * math.sqrt(share @ variances / share.sum())


@settings(max_examples=50, deadline=None)
@given(
    counts=st.lists(st.integers(2, 12), min_size=1, max_size=4),
    seed=st.integers(0, 2**32 - 1),
    noise=st.sampled_from([1e-3, 0.02, 0.5]),
)
def test_half_width_is_that_of_the_matrices(counts, seed, noise):
    generator = np.random.default_rng(seed)
    processes = [list(10 + generator.normal(0, noise, count)) for count in counts]
    assert mean_half_width(processes, 0.95) == pytest.approx(
        half_width_by_matrices(processes), rel=1e-6
    )


def test_equal_samples_have_no_width():
    assert mean_half_width([[0.1] * 7], 0.95) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("processes", [[[3.0]], [[3.0], [4.0]], [], [[]]])
def test_no_more_samples_than_processes_have_no_interval(processes):
    assert mean_half_width(processes, 0.95) == math.inf


def test_a_process_of_its_own_level_does_not_widen_repeatability():
    one, other = [1.0, 1.01, 0.99, 1.0], [2.0, 2.01, 1.99, 2.0]
    assert mean_half_width([one, other], 0.95) < 0.05
    assert mean_half_width([one + other], 0.95) > 0.5


def test_samples_are_grouped_by_their_process_in_order():
    assert by_process([0, 1, 0, 2, 1], [1.0, 2.0, 3.0, 4.0, 5.0]) == [[1.0, 3.0], [2.0, 5.0], [4.0]]


# One process: t(4) at 95 % is 2.776 (tables), times 0.75 %.
def test_one_process_adds_the_assumed_variation_between_runs():
    assert between_runs_half_width([[1.0, 1.1]], 0.0075, 0.95) == pytest.approx(
        2.776 * 0.0075, rel=1e-3
    )


# Three processes at 0.99, 1 and 1.01 without scatter inside: V = (4 * 0.0075² + 2 * 0.01²) / 6 =
# 7.0833e-5, t(6) = 2.447 (tables): 2.447 * sqrt(7.0833e-5 / 3) = 0.011890.
def test_means_of_three_processes_add_to_the_assumption():
    processes = [[level] * 3 for level in (0.99, 1.0, 1.01)]
    assert between_runs_half_width(processes, 0.0075, 0.95) == pytest.approx(0.011890, rel=1e-3)


def ar1(generator, runs, count, sd, correlation):
    noise = np.empty((runs, count))
    noise[:, 0] = generator.normal(0, sd, runs)
    steps = generator.normal(0, sd * math.sqrt(1 - correlation**2), (runs, count))
    for i in range(1, count):
        noise[:, i] = correlation * noise[:, i - 1] + steps[:, i]
    return noise


def stopped(samples, target=0.02, least=9):
    """Half-width and mean at the first look that meets the target, as a run stops."""
    for count in range(least, len(samples) + 1):
        mean = sum(samples[:count]) / count
        half = mean_half_width([samples[:count]], 0.95)
        if half / mean <= target:
            break
    return mean, half


# Of 1,000 runs with a true coverage of 95 %, fewer than 93 % cover once in 300 seeds.
@pytest.mark.slow
@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.7])
@pytest.mark.parametrize("sd", [0.003, 0.02])
def test_at_least_93_of_100_runs_that_stop_at_a_target_cover(sd, correlation):
    generator = np.random.default_rng()
    runs = 1 + ar1(generator, 1000, 50, sd, correlation)
    covered = [abs(mean - 1) <= half for mean, half in (stopped(list(run)) for run in runs)]
    assert np.mean(covered) >= 0.93

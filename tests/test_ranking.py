"""Groups, ranks and ties; instruments whose calibration cancels; results listed without rank."""

from __future__ import annotations

import random
import time

import numpy as np
import pytest
from boards import (
    document_of,
    rank_results,
    save,
)
from synthetic_results import result_with_energy, synthetic_result, with_derived_warnings

from bench.leaderboard import (
    validation,
)
from bench.leaderboard.board_entry import RankingKey, make_ranking_key
from bench.leaderboard.ranking import comparison_factor, count_better_and_worse
from bench.results.calibration import RECTANGULAR_TO_95, energy_ratio, instrument_id
from bench.results.machine_record import card_id
from bench.results.record import Failure, Result
from bench.results.warning_catalogue import make_warning

FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


def is_significantly_less(a, b):
    """Whether a took significantly less energy than b: the interval of a / b lies below 1.

    The same rule as `calibration.energy_ratio(a, b).high < 1`: on one instrument the calibration
    cancels, otherwise that of both is added in quadrature.
    """
    half_widths = [a.half_width, b.half_width]
    if a.instrument is None or a.instrument != b.instrument:
        half_widths += [RECTANGULAR_TO_95 * a.calibration, RECTANGULAR_TO_95 * b.calibration]
    return b.log_energy - a.log_energy > sum(x * x for x in half_widths) ** 0.5


def ranks(results):
    (task,) = document_of(results)["tasks"]
    return {row["model"]["id"]: row["rank"] for group in task["groups"] for row in group["rows"]}


def test_significant_differences_rank_in_order():
    by_model = ranks(
        [result_with_energy(e, model=m) for e, m in ((0.3, "c"), (0.1, "a"), (0.2, "b"))]
    )
    assert by_model == {"a": 1, "b": 2, "c": 3}


def test_rank_in_a_chain_of_ties_is_one_plus_the_number_of_better_results():
    chain = [
        result_with_energy(e, 0.01, model=m) for e, m in ((0.100, "a"), (0.1035, "b"), (0.107, "c"))
    ]
    a, b, c = chain
    assert energy_ratio(a, b).high > 1 and energy_ratio(b, c).high > 1
    assert energy_ratio(a, c).high < 1
    assert ranks(chain) == {"a": 1, "b": 1, "c": 2}
    (task,) = rank_results(chain).tasks
    assert [(row.rank, row.last_rank) for row in task.groups[0].rows] == [(1, 2), (1, 3), (2, 3)]


def test_rank_after_a_tie_counts_all_better_results():
    energies = [(0.1, 0.02, "a"), (0.101, 0.02, "b"), (0.9, 0.001, "c")]
    assert ranks([result_with_energy(e, s, model=m) for e, s, m in energies]) == {
        "a": 1,
        "b": 1,
        "c": 3,
    }


def test_calibration_cancels_on_one_card_and_enters_twice_between_two():
    def pair(other):
        return [
            result_with_energy(0.100, 0.001, model="a"),
            result_with_energy(0.107, 0.001, model="b", uuid=other),
        ]

    assert ranks(pair("GPU-0")) == {"a": 1, "b": 2}
    assert ranks(pair("GPU-1")) == {"a": 1, "b": 1}
    assert ranks(
        [
            result_with_energy(0.100, 0.001, model="a", uuid=None),
            result_with_energy(0.107, 0.001, model="b", uuid=None),
        ]
    ) == {"a": 1, "b": 1}
    far = [
        result_with_energy(0.100, 0.001, model="a"),
        result_with_energy(0.13, 0.001, model="b", uuid="GPU-1"),
    ]
    assert ranks(far) == {"a": 1, "b": 2}


def add_host(result, cpu="Synthetic CPU 9000", packages=1, gpus=1):
    """The result with the host's processors in the boundary, and more GPUs."""
    content = result.model_dump()
    (gpu,), (sensor,) = content["machine"]["devices"], content["machine"]["sensors"]
    more = [
        {**gpu, "domain": f"gpu:{i}", "card_id": card_id(str(i)) if gpu["card_id"] else None}
        for i in range(1, gpus)
    ]
    hosts = [
        {
            **gpu,
            "domain": f"cpu-package:{i}",
            "name": cpu,
            "card_id": None,
            "power_limit_watts": None,
        }
        for i in range(packages)
    ]
    devices = (gpu, *more, *hosts)
    domains = tuple(device["domain"] for device in devices)
    content["machine"] |= {"devices": devices, "sensors": ({**sensor, "domains": domains},)}
    content["machine"]["cpu_name"] = cpu
    content["boundary"] = {"domains": domains, "kind": "measured"}
    return with_derived_warnings(Result.model_validate(content))


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ({}, {}, True),
        ({"gpus": 2}, {"gpus": 2}, True),
        ({}, {"cpu": "Another CPU"}, False),
        ({}, {"packages": 2}, False),
        ({}, {"gpus": 2}, False),
        ({}, {"uuid": "GPU-1"}, False),
        ({"uuid": None}, {"uuid": None}, False),
    ],
)
def test_instrument_is_identified_by_its_cards_and_processors(first, second, same):
    def measured(energy, uuid="GPU-0", **host):
        return add_host(result_with_energy(energy, 0.001, uuid=uuid), **host)

    a, b = measured(0.100, **first), measured(0.107, **second)
    assert (energy_ratio(a, b).high < 1) == same
    assert is_significantly_less(make_ranking_key(a), make_ranking_key(b)) == same


def test_processors_without_a_gpu_are_never_one_instrument():
    def measured(energy):
        content = add_host(result_with_energy(energy, 0.001)).model_dump()
        content["machine"]["devices"] = [
            {**device, "card_id": card_id("me")} for device in content["machine"]["devices"][1:]
        ]
        content["boundary"]["domains"] = ("cpu-package:0",)
        return Result.model_validate(content)

    a, b = measured(0.100), measured(0.107)
    assert instrument_id(a) is None
    assert energy_ratio(a, b).high > 1


def test_gpu_without_card_id_is_never_one_instrument():
    def measured(energy):
        content = add_host(result_with_energy(energy, 0.001), gpus=2).model_dump()
        content["machine"]["devices"][1]["card_id"] = None
        return Result.model_validate(content)

    assert energy_ratio(measured(0.100), measured(0.107)).high > 1


def test_processor_outside_the_boundary_is_ignored():
    a, b = (result_with_energy(e, 0.001, model=str(e)) for e in (0.100, 0.107))
    moved = b.machine.model_copy(update={"cpu_name": "Another CPU"})
    assert energy_ratio(a, b.model_copy(update={"machine": moved})).high < 1


def test_two_calibrations_add_in_quadrature():
    a, b = (result_with_energy(0.1, 1e-9, model=m, uuid=m) for m in "ab")
    # Variation between runs enters too: t(4) at 95 % times 0.75 % on each side.
    calibration, runs = 1.959964 * 0.05 * (2 / 3) ** 0.5, 2.7764451 * 0.0075 * 2**0.5
    half_width = (calibration**2 + runs**2) ** 0.5
    assert energy_ratio(a, b).high == pytest.approx(2.718281828**half_width, rel=1e-6)


def test_counts_agree_with_energy_ratio_for_every_pair():
    generator = random.Random(7)
    many = [
        result_with_energy(
            generator.uniform(0.1, 0.13),
            generator.choice((0.001, 0.02)),
            uuid=generator.choice(("GPU-0", "GPU-1", None)),
            calibration=generator.choice((0.0, 0.01, 0.05)),
            model=f"m{i}",
        )
        for i in range(40)
    ]
    keys = [make_ranking_key(result) for result in many]
    table = [[is_significantly_less(x, y) for y in keys] for x in keys]
    compared = [[energy_ratio(a, b).high < 1 for b in many] for a in many]
    assert table == compared and {True, False} == {x for line in table for x in line}
    better, worse = count_better_and_worse(keys)
    assert worse == [sum(line) for line in table]
    assert better == [sum(column) for column in zip(*table, strict=True)]


def test_counts_equal_those_of_a_pairwise_comparison():
    generator = random.Random(3)
    cards = [None, *((frozenset({f"GPU-{i}"}), None) for i in range(5))]
    keys = [
        RankingKey(
            generator.gauss(0, 0.2),
            generator.choice((0.0, 1e-6, generator.uniform(0.001, 0.05), 2.0)),
            generator.choice((0.0, 0.05, 0.3)),
            generator.choice(cards),
        )
        for _ in range(700)
    ]
    better, worse = count_better_and_worse(keys)
    assert worse == [sum(is_significantly_less(a, b) for b in keys) for a in keys]
    assert better == [sum(is_significantly_less(b, a) for b in keys) for a in keys]


def test_100000_results_are_ranked_within_30_seconds():
    generator = random.Random(4)
    keys = [
        RankingKey(generator.gauss(0, 0.5), generator.uniform(0.001, 0.05), 0.05, None)
        for _ in range(100_000)
    ]
    started = time.process_time()
    better, worse = count_better_and_worse(keys)
    assert time.process_time() - started < 30
    least = min(range(len(keys)), key=lambda i: keys[i].log_energy)
    assert better[least] == 0 and worse[least] > 90_000


@pytest.mark.parametrize(
    "other",
    [
        {"device": "NVIDIA A100-SXM4-80GB"},
        {"limit": 500.0},
        {"dataset": "standard"},
        {"task": "text-gen"},
    ],
)
def test_results_that_differ_in_device_limit_data_or_task_are_in_separate_groups(other):
    pair = [result_with_energy(0.1, model="a"), result_with_energy(0.2, model="b", **other)]
    groups = [group for task in rank_results(pair).tasks for group in task.groups]
    assert [[row.rank for row in group.rows] for group in groups] == [[1], [1]]


def test_index_of_a_gpu_does_not_separate_groups():
    assert ranks(
        [result_with_energy(0.1, model="a"), result_with_energy(0.2, model="b", slot=3)]
    ) == {
        "a": 1,
        "b": 2,
    }


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"kind": "modelled"}, "modelled"),
        ({"weights": "random"}, "random"),
        ({"profile": "quick"}, "quick"),
        ({"failure": FAILURE}, "CUDA ran out of memory"),
        (
            {"reading_warnings": (make_warning("foreign-process", count=1, domain="gpu:0"),)},
            "process",
        ),
    ],
)
def test_result_that_cannot_be_ranked_is_listed_with_the_reason(tmp_path, options, word):
    result = (
        synthetic_result(**options) if "energies" in options else result_with_energy(0.1, **options)
    )
    (task,) = document_of([result, result_with_energy(0.2, model="ranked")])["tasks"]
    (row,) = task["listed"]
    assert row["rank"] is None and word in " ".join(row["why_not_ranked"])
    assert [r["rank"] for group in task["groups"] for r in group["rows"]] == [1]
    report = validation.validate_file(save(tmp_path, result))
    assert report.refusals == () and word in " ".join(
        i.message for i in report.issues if i.severity == "no-rank"
    )


def test_listed_results_are_ordered_by_energy_with_failures_last():
    modelled = [
        result_with_energy(e, model=m, kind="modelled") for e, m in ((0.2, "b"), (0.1, "a"))
    ]
    failed = synthetic_result(model="f", energies=[], failure=FAILURE)
    (task,) = document_of([failed, *modelled])["tasks"]
    assert [row["model"]["id"] for row in task["listed"]] == ["a", "b", "f"]


# Half-widths on the logarithm: 1.96 for 2.5 % on each side of one pair; for 190 pairs of 20 things
# the normal quantile at 1 - 0.025 / 190 is 3.6496, and 3.6496 / 1.959964 = 1.8621 (tables).
@pytest.mark.parametrize(("count", "factor"), [(1, 1.0), (2, 1.0), (20, 1.862), (200, 2.402)])
def test_comparison_factor_is_that_of_bonferroni(count, factor):
    assert comparison_factor(count) == pytest.approx(factor, abs=2e-3)


def test_at_most_5_of_100_boards_of_20_equals_put_one_below_first():
    generator = np.random.default_rng(2)
    factor, boards = comparison_factor(20), 400
    below_first = 0
    for _ in range(boards):
        keys = [RankingKey(x, 0.0196, 0.0, None) for x in generator.normal(0, 0.01, 20)]
        better, _ = count_better_and_worse(keys, factor)
        below_first += any(better)
    # Of 400 boards at a true share of 5 %, more than 32 happen once in 280.
    assert below_first <= 32

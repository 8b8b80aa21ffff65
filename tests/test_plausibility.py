"""Values that cannot be true: energy, power, operations a second, changed warnings."""

from __future__ import annotations

import pytest
from boards import (
    save,
)
from synthetic_results import result_with_energy, synthetic_result, with_derived_warnings

from bench.impact import facts
from bench.leaderboard import (
    validation,
)
from bench.results import storage
from bench.results.machine_record import card_id
from bench.results.record import Failure, Result
from bench.results.warning_catalogue import make_warning

FAILURE = Failure(stage="load", code="out-of-memory", message="CUDA ran out of memory.")


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"energies": [0.0] * 5}, "0 J"),
        ({"energies": [-3000.0] * 5}, "-3000 J"),
        ({"energies": [9000.0] * 5}, "900 W, above 1.1 times 700 W"),
    ],
)
def test_implausible_energy_is_refused(tmp_path, options, word):
    report = validation.validate_file(save(tmp_path, synthetic_result(**options)))
    assert word in " ".join(report.refusals)


@pytest.mark.parametrize(("joules", "refused"), [(0.0, False), (-1.0, True), (1e9, True)])
def test_unused_gpu_may_read_zero_energy(tmp_path, joules, refused):
    content = result_with_energy(0.1).model_dump()
    (device,) = content["machine"]["devices"]
    content["machine"]["devices"] += (
        {**device, "domain": "gpu:1", "card_id": card_id("b"), "used": False},
    )
    for trial in content["trials"]:
        resting = {**trial["readings"][0], "domain": "gpu:1", "energy_joules": joules}
        trial["readings"] += (resting,)
    report = validation.validate_file(
        save(tmp_path, with_derived_warnings(Result.model_validate(content)))
    )
    assert bool(report.refusals) == refused
    assert all("gpu:1: a mean of" in reason for reason in report.refusals)


def test_reading_warning_with_changed_blocks_ranking_is_refused(tmp_path):
    light = make_warning("foreign-process", count=1, domain="gpu:0").model_copy(
        update={"blocks_ranking": False}
    )
    report = validation.validate_file(
        save(tmp_path, result_with_energy(0.1, reading_warnings=(light,)))
    )
    assert "another `blocks_ranking`" in " ".join(report.refusals)


def result_with_tokens(tokens, dtype="float16", parameters=1_000_000_000, **options):
    """Trials of 10 s in which so many tokens came out of a model of a billion parameters."""
    result = synthetic_result(task="text-gen", dtype=dtype, parameters=parameters, **options)
    trials = [
        trial.model_copy(
            update={"work": trial.work.model_copy(update={"output_token_count": tokens})}
        )
        for trial in result.trials
    ]
    return result.model_copy(update={"trials": tuple(trials)})


def operation_refusals(tmp_path, result):
    path = tmp_path / "busy.json"
    storage.save_result(result, path)
    return [r for r in validation.validate_file(path).refusals if "operations a second" in r]


def test_more_operations_than_the_device_peak_are_refused(tmp_path):
    peak = facts.table("gpu_peak")["nvidia-h100-sxm5-80gb"].value * 1e12
    most = int(peak * 10 / 2e9)
    assert operation_refusals(tmp_path, result_with_tokens(most - 1)) == []
    assert len(operation_refusals(tmp_path, result_with_tokens(most + 10_000))) == 9
    # Fewer bits compute faster; a device without a published peak is not checked.
    assert operation_refusals(tmp_path, result_with_tokens(most + 10_000, dtype="int4")) == []
    assert (
        operation_refusals(tmp_path, result_with_tokens(most + 10_000, device="Unheard-of")) == []
    )
    assert operation_refusals(tmp_path, result_with_tokens(most + 10_000, parameters=None)) == []


def test_mixture_of_experts_counts_active_parameters(tmp_path):
    peak = facts.table("gpu_peak")["nvidia-h100-sxm5-80gb"].value * 1e12
    result = result_with_tokens(int(2 * peak * 10 / 2e9))
    assert operation_refusals(tmp_path, result)
    model = result.model.model_copy(update={"active_parameter_count": 100_000_000})
    assert operation_refusals(tmp_path, result.model_copy(update={"model": model})) == []

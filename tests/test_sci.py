"""Software Carbon Intensity: of plans and results, complete and incomplete."""

from __future__ import annotations

import pytest
from synthetic_results import synthetic_result
from test_lifecycle import PLAN

from bench.impact import lifecycle, lifecycle_plan, sci
from bench.impact.per_inference import LifeCycleInputs
from bench.results.interval import Interval


def test_scores_of_a_plan(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN)
    plan = lifecycle_plan.load(path)
    computed = lifecycle.plan_lifecycle(plan)
    scores = sci.plan_scores(plan, computed)
    by_unit = {score.unit: score.grams.value for score in scores.providers}
    total = computed.grams.value
    assert by_unit == pytest.approx(
        {"million training tokens": total / 5000, "billion parameters": total / 2}
    )
    assert scores.consumer.complete and scores.consumer.unit == "inference"
    assert scores.consumer.operational_grams.value == pytest.approx(20 * 1.25 * 44.18 / 10_000)


def test_sci_is_operational_plus_embodied_per_unit():
    operational, embodied = Interval(400, 300, 500) * 2.0, Interval.of(100.0)
    scores = sci.score(operational, embodied, 1000, "inference")
    assert scores.grams.value == pytest.approx((2 * 400 + 100) / 1000)
    incomplete = sci.score(operational, None, 1000, "inference", missing="not known")
    assert (incomplete.grams.low, incomplete.grams.high) == (0.6, 1.0)
    assert not incomplete.complete
    with pytest.raises(ValueError, match="reason"):
        sci.score(operational, None, 1, "inference")
    with pytest.raises(ValueError, match="positive"):
        sci.score(operational, embodied, 0, "inference")


def test_score_per_token_is_score_per_inference_divided_by_tokens():
    scores = sci.result_scores(synthetic_result(task="text-gen"), LifeCycleInputs(region="FR"))
    assert (scores.inference.unit, scores.consumer.unit) == ("inference", "token")
    assert scores.inference.grams.value == pytest.approx(10 * scores.consumer.grams.value)


BILLION = 1_000_000_000


@pytest.mark.parametrize(
    ("training", "parameters", "refused"),
    [
        ("bloom-176b", 3_000_000, "176 B parameters; this one has 3 M"),
        ("bloom-176b", 176_247_271_424, None),
        ("llama-2-7b", 6_738_415_616, None),
        ("llama-2-7b", 13_015_864_320, "of 7 B parameters; this one has 13"),
        ("llama-3.2-1b-3b", 1_235_814_400, None),
        ("llama-3.2-1b-3b", 8 * BILLION, "1 B or 3 B"),
        ("bert-base", 3_000_000, None),  # its name states no size
        ("bloom-176b", None, None),
    ],
)
def test_provider_score_needs_the_training_of_a_model_of_this_size(training, parameters, refused):
    result = synthetic_result(parameters=parameters)
    inputs = LifeCycleInputs(region="FR", training=training, uses=1e9)
    scores = sci.result_scores(result, inputs)
    if refused:
        assert scores.providers == () and refused in scores.no_provider
    elif parameters:
        assert scores.providers[0].unit == "billion parameters"
    assert scores.consumer is not None

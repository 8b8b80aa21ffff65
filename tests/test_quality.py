"""Quality of a run: intervals, repeated requests, missing references and missing libraries."""

import math
import sys
from dataclasses import replace

import pytest
from virtual_run import TASK

from bench.results import warning_catalogue
from bench.runner import quality
from bench.system import registry
from bench.task import Box, Metric, Output, Request
from bench.workloads.metrics import MetricUnavailable
from bench.workloads.workload import build_workload


def test_correlation_of_constants_is_undefined():
    module = registry.load("metric", "spearman")
    assert quality.metric_interval(module, [(1, 0.5), (2, 0.5)]) is None


def test_interval_of_correct_or_wrong_answers_is_wilsons():
    module = registry.load("metric", "accuracy")
    estimate = quality.metric_interval(module, [("a", "a")] * 45 + [("a", "b")] * 5)
    # Wilson's interval of 45 in 50 (Brown, Cai and DasGupta 2001).
    assert estimate == pytest.approx((0.9, 0.7864, 0.9565), abs=1e-4)


def test_bootstrap_interval_is_reproducible_and_agrees_with_the_normal_one():
    """Word errors of 400 texts: 1.96 s/sqrt(n), the ratio's linear approximation."""
    module = registry.load("metric", "word-error-rate")
    pairs = [("a b c d", "a b c d" if n % 3 else "a x y d") for n in range(400)]
    estimate = quality.metric_interval(module, pairs)
    assert estimate == quality.metric_interval(module, pairs)
    half = 1.96 * 0.5 * math.sqrt(1 / 3 * 2 / 3 / 400)
    assert estimate[0] == pytest.approx(134 * 2 / 1600)
    assert estimate[2] - estimate[1] == pytest.approx(2 * half, rel=0.15)


def test_single_score_has_no_interval():
    assert quality.metric_interval(registry.load("metric", "rouge-l"), [("a b", "a")]) is None


def test_request_counts_once_with_its_first_answer():
    requests = [Request({"text": str(n)}, "yes") for n in range(3)]
    answers = [(r, Output(label="yes")) for r in requests]
    answers += [(r, Output(label="no")) for r in requests]
    rows = [{"text": "x", "label": "yes"}]
    estimate = quality.evaluate_quality(build_workload(TASK, "embedded", rows, {}), answers)
    assert (estimate.sample_count, estimate.value) == (3, 1.0)


def test_missing_library_is_reported_with_a_remedy(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    work = build_workload(TASK, "embedded", [{"text": "x", "label": "yes"}], {})
    with pytest.raises(MetricUnavailable, match=r"joulebench\[quality\]"):
        quality.evaluate_quality(work, [(work.requests[0], Output(label="yes"))])
    assert "joulebench[quality]" in warning_catalogue.make_warning("quality-missing").remedy


def test_quality_is_none_without_references():
    work = build_workload(TASK, "embedded", [{"text": "x"}], {})
    assert quality.evaluate_quality(work, [(work.requests[0], Output(label="yes"))]) is None
    unscored = replace(TASK, metric=Metric("mean", "accuracy", lambda request, output: None))
    work = build_workload(unscored, "embedded", [{"text": "x", "label": "yes"}], {})
    assert quality.evaluate_quality(work, [(work.requests[0], Output(label="yes"))]) is None


def test_average_precision_has_a_bootstrap_interval():
    module = registry.load("metric", "mean-average-precision")
    boxes = (Box("cat", 1.0, (0, 0, 10, 10)), Box("dog", 1.0, (20, 20, 40, 40)))
    half = [(boxes, boxes if n % 2 else ()) for n in range(20)]
    estimate, low, high = quality.metric_interval(module, half)
    assert estimate == pytest.approx(0.5, abs=0.01) and 0.2 < low < estimate < high < 0.8


def test_missing_clip_model_is_reported_with_a_remedy(monkeypatch):
    from PIL import Image

    work = build_workload(registry.find_task("image-gen"), "standard", [{"prompt": "a cat"}], {})
    answers = [(work.requests[0], Output(image=Image.new("RGB", (8, 8))))]
    monkeypatch.delenv("JOULEBENCH_CLIP", raising=False)
    with pytest.raises(MetricUnavailable, match="JOULEBENCH_CLIP"):
        quality.evaluate_quality(work, answers)
    monkeypatch.setenv("JOULEBENCH_CLIP", "/nonexistent")
    with pytest.raises(MetricUnavailable, match="cannot be loaded"):
        quality.evaluate_quality(work, answers)

"""Metrics against known values, their intervals, and what is missing where it can't be judged."""

import math
import sys
from dataclasses import replace

import pytest
import torch
from virtual_run import TASK

from bench.results import warning_catalogue
from bench.runner import quality
from bench.system import registry
from bench.task import Box, Metric, Output, Request
from bench.workloads import embedded
from bench.workloads.workload import build_workload

SIDES = ("higher", "lower")


def value(module, *pairs):
    return registry.load("metric", module).value(pairs)


@pytest.mark.parametrize("name", registry.names("metric"))
def test_a_metric_keeps_its_contract(name):
    module = registry.load("metric", name)
    assert module.BETTER in SIDES and module.RANGE[0] < module.RANGE[1]
    assert registry.first_docstring_line("metric", name).endswith(".")


@pytest.mark.parametrize(
    ("module", "pairs", "expected"),
    [
        ("accuracy", [("a", "a"), ("a", "b"), ("b", "b"), ("b", "")], 0.5),
        # The rule of SQuAD: "the" and case aside, one of two words shared.
        ("answer-f1", [(("The cat",), "cat"), (("big cat",), "cat food"), (("x", "y z"), "z y")],
         (1 + 0.5 + 1) / 3),
        # "the sat" is the longest common run of five and four words: P 2/2, R 2/3.
        ("rouge-l", [("the cat sat", "the sat")], 0.8),
        ("rouge-l", [("one", "two"), ("one", "one")], 0.5),
        # One span of two words right, one person found where a place was: 1 of 2 and 1 of 2.
        ("span-f1", [(("B-PER", "I-PER", "O", "B-LOC"), ("B-PER", "I-PER", "O", "B-PER"))], 0.5),
        # A span that ends too early is wrong, though one of its words is right.
        ("span-f1", [(("B-PER", "I-PER"), ("B-PER", "O"))], 0.0),
        # No marks: every word is a span, and F1 is the accuracy over words.
        ("span-f1", [(("NN", "VB", "NN"), ("NN", "NN", "NN")), (("VB",), ("VB",))], 0.75),
        ("spearman", [(1, 0.1), (2, 0.4), (3, 0.3), (4, 0.9)], 0.8),
        ("spearman", [(1, 3), (2, 2), (3, 1)], -1.0),
        ("word-error-rate", [("a b c d", "a x c"), ("e", "e f g")], 4 / 5),
    ],
)  # fmt: skip
def test_known_values(module, pairs, expected):
    assert value(module, *pairs) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", [n for n in registry.names("metric") if n != "clip-score"])
def test_rows_and_shares_make_the_value(name):
    module = registry.load("metric", name)
    words = ["the cat sat down", "a cat", "the dog ran", "no", "cat dog"]
    tags = [("NN", "VB"), ("VB",), ("NN", "NN", "VB"), ("NN",), ("VB", "VB")]
    pairs = [*zip(words, words[1:] + words[:1], strict=True)]
    if name == "answer-f1":
        pairs = [((right,), got) for right, got in pairs]
    if name == "span-f1":
        pairs = [(t, ("NN",) * len(t)) for t in tags]
    if hasattr(module, "rows"):
        assert module.value(pairs) == pytest.approx(math.fsum(module.rows(pairs)) / 5)
    if hasattr(module, "shares"):
        above, below = zip(*module.shares(pairs), strict=True)
        assert module.value(pairs) == pytest.approx(sum(above) / sum(below))


def test_nothing_to_rank_is_no_correlation_and_not_zero():
    assert math.isnan(value("spearman", (1, 0.5), (2, 0.5), (3, 0.5)))
    module = registry.load("metric", "spearman")
    assert quality.metric_interval(module, [(1, 0.5), (2, 0.5)]) is None


def test_the_interval_of_right_or_wrong_answers_is_wilsons():
    module = registry.load("metric", "accuracy")
    got = quality.metric_interval(module, [("a", "a")] * 45 + [("a", "b")] * 5)
    # Wilson's interval of 45 in 50 (Brown, Cai and DasGupta 2001).
    assert got == pytest.approx((0.9, 0.7864, 0.9565), abs=1e-4)


def test_a_bootstrap_covers_as_the_normal_interval_does_and_repeats():
    """Word errors of 400 texts: 1.96 s/sqrt(n), the ratio's linear approximation."""
    module = registry.load("metric", "word-error-rate")
    pairs = [("a b c d", "a b c d" if n % 3 else "a x y d") for n in range(400)]
    got = quality.metric_interval(module, pairs)
    assert got == quality.metric_interval(module, pairs)
    half = 1.96 * 0.5 * math.sqrt(1 / 3 * 2 / 3 / 400)
    assert got[0] == pytest.approx(134 * 2 / 1600)
    assert got[2] - got[1] == pytest.approx(2 * half, rel=0.15)


def test_one_graded_answer_has_no_interval():
    assert quality.metric_interval(registry.load("metric", "rouge-l"), [("a b", "a")]) is None


def test_each_request_counts_once_by_its_first_answer():
    asked = [Request({"text": str(n)}, "yes") for n in range(3)]
    answers = [(r, Output(label="yes")) for r in asked] + [(r, Output(label="no")) for r in asked]
    rows = [{"text": "x", "label": "yes"}]
    found = quality.evaluate_quality(build_workload(TASK, "embedded", rows, {}), answers)
    assert (found.sample_count, found.value) == (3, 1.0)


def test_a_missing_library_costs_the_quality_and_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    work = build_workload(TASK, "embedded", [{"text": "x", "label": "yes"}], {})
    with pytest.raises(quality.QualityUnavailable, match=r"joulebench\[quality\]"):
        quality.evaluate_quality(work, [(work.requests[0], Output(label="yes"))])
    assert "joulebench[quality]" in warning_catalogue.make_warning("quality-missing").remedy


def test_no_reference_is_no_quality():
    work = build_workload(TASK, "embedded", [{"text": "x"}], {})
    assert quality.evaluate_quality(work, [(work.requests[0], Output(label="yes"))]) is None
    unsure = replace(TASK, metric=Metric("mean", "accuracy", lambda asked, got: None))
    work = build_workload(unsure, "embedded", [{"text": "x", "label": "yes"}], {})
    assert quality.evaluate_quality(work, [(work.requests[0], Output(label="yes"))]) is None


def box(label, x0, y0, x1, y1, score=1.0):
    return Box(label, score, (x0, y0, x1, y1))


THERE = (box("cat", 0, 0, 10, 10), box("dog", 20, 20, 40, 40))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (THERE, 1.0),
        ((), 0.0),
        # The dog is missing, the cat is right: the mean over two classes.
        (THERE[:1], 0.5),
        # Half of the cat: an overlap of 0.5 passes one of ten thresholds.
        ((box("cat", 0, 0, 10, 5), THERE[1]), (0.1 + 1) / 2),
        # A class that is nowhere is not judged; the wrong class for a dog is.
        ((*THERE, box("tree", 0, 0, 5, 5)), 1.0),
        ((THERE[0], box("cat", 20, 20, 40, 40, 0.5)), 0.5),
        # A surer wrong box before the right one: precision 1/2 at full recall.
        ((THERE[0], box("dog", 60, 60, 70, 70, 0.9), box("dog", 20, 20, 40, 40, 0.8)), 0.75),
    ],
)
def test_known_values_of_mean_average_precision(found, expected):
    assert value("mean-average-precision", (THERE, found)) == pytest.approx(expected, abs=1e-3)


def test_average_precision_needs_something_to_find_and_has_an_interval():
    assert math.isnan(value("mean-average-precision", ((), THERE)))
    module = registry.load("metric", "mean-average-precision")
    half = [(THERE, THERE if n % 2 else ()) for n in range(20)]
    got, low, high = quality.metric_interval(module, half)
    assert got == pytest.approx(0.5, abs=0.01) and 0.2 < low < got < high < 0.8


def test_the_nearest_of_several_captions_counts():
    assert value("rouge-l", (["a dog", "the cat sat"], "the cat sat")) == pytest.approx(1.0)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    """A tiny CLIP with random weights, saved as the hub has them."""
    from transformers import (
        CLIPConfig,
        CLIPImageProcessor,
        CLIPModel,
        CLIPProcessor,
        CLIPTokenizer,
    )

    folder = tmp_path_factory.mktemp("clip")
    home = embedded.model_path("video-gen", "tiny") / "tokenizer"
    letters = CLIPTokenizer.from_pretrained(home)
    shared = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    words = {**shared, "vocab_size": len(letters), "eos_token_id": letters.eos_token_id}
    config = CLIPConfig(
        text_config=words,
        vision_config={**shared, "image_size": 32, "patch_size": 16},
        projection_dim=16,
    )
    torch.manual_seed(0)
    CLIPModel(config).save_pretrained(folder)
    CLIPProcessor(CLIPImageProcessor(size=32, crop_size=32), letters).save_pretrained(folder)
    return folder


def test_clip_score_is_the_cosine_that_clip_itself_gives(clip, monkeypatch):
    from PIL import Image
    from transformers import CLIPModel, CLIPProcessor

    monkeypatch.setenv("JOULEBENCH_CLIP", str(clip))
    images = [Image.effect_noise((40, 30), 50 + 20 * n).convert("RGB") for n in range(3)]
    given = CLIPProcessor.from_pretrained(clip)(
        text=["a cat"] * 3, images=images, return_tensors="pt", padding=True
    )
    with torch.inference_mode():
        net = CLIPModel.from_pretrained(clip)
        cosines = (net(**given).logits_per_image / net.logit_scale.exp())[:, 0]
    expected = [max(0.0, 100 * float(cosine)) for cosine in cosines]
    assert max(expected) > 0
    module = registry.load("metric", "clip-score")
    got = module.rows([("a cat", image) for image in images])
    assert got == pytest.approx(expected, abs=0.01)
    # Several images of one prompt, the frames of a video, count with their mean.
    (mean,) = module.rows([("a cat", images)])
    assert mean == pytest.approx(100 * max(0.0, float(cosines.mean())), abs=0.01)


def test_without_a_clip_model_the_quality_is_missing_and_says_how_to_have_it(monkeypatch):
    from PIL import Image

    work = build_workload(registry.find_task("image-gen"), "standard", [{"prompt": "a cat"}], {})
    answers = [(work.requests[0], Output(image=Image.new("RGB", (8, 8))))]
    monkeypatch.delenv("JOULEBENCH_CLIP", raising=False)
    with pytest.raises(quality.QualityUnavailable, match="JOULEBENCH_CLIP"):
        quality.evaluate_quality(work, answers)
    monkeypatch.setenv("JOULEBENCH_CLIP", "/nonexistent")
    with pytest.raises(quality.QualityUnavailable, match="can't be loaded"):
        quality.evaluate_quality(work, answers)

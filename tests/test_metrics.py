"""Metrics: their contract, known values, and agreement of rows and shares with the value."""

import math

import pytest
import torch

from bench.system import registry
from bench.task import Box
from bench.workloads import embedded


def metric_value(module, *pairs):
    return registry.load("metric", module).value(pairs)


@pytest.mark.parametrize("name", registry.names("metric"))
def test_metric_keeps_its_contract(name):
    module = registry.load("metric", name)
    assert module.BETTER in ("higher", "lower") and module.RANGE[0] < module.RANGE[1]
    assert registry.first_docstring_line("metric", name).endswith(".")


@pytest.mark.parametrize(
    ("module", "pairs", "expected"),
    [
        ("accuracy", [("a", "a"), ("a", "b"), ("b", "b"), ("b", "")], 0.5),
        # The rule of SQuAD: "the" and case aside, one of two words shared.
        ("answer-f1", [(("The cat",), "cat"), (("big cat",), "cat food"), (("x", "y z"), "z y")],
         (1 + 0.5 + 1) / 3),
        # "the sat" is the longest common subsequence: precision 2/2, recall 2/3.
        ("rouge-l", [("the cat sat", "the sat")], 0.8),
        ("rouge-l", [("one", "two"), ("one", "one")], 0.5),
        # One of two spans is correct; the other has the wrong label.
        ("span-f1", [(("B-PER", "I-PER", "O", "B-LOC"), ("B-PER", "I-PER", "O", "B-PER"))], 0.5),
        # A span that ends too early is wrong, although one of its words is correct.
        ("span-f1", [(("B-PER", "I-PER"), ("B-PER", "O"))], 0.0),
        # No prefixes: every word is a span, and F1 is the accuracy over words.
        ("span-f1", [(("NN", "VB", "NN"), ("NN", "NN", "NN")), (("VB",), ("VB",))], 0.75),
        ("spearman", [(1, 0.1), (2, 0.4), (3, 0.3), (4, 0.9)], 0.8),
        ("spearman", [(1, 3), (2, 2), (3, 1)], -1.0),
        ("word-error-rate", [("a b c d", "a x c"), ("e", "e f g")], 4 / 5),
    ],
)  # fmt: skip
def test_known_values(module, pairs, expected):
    assert metric_value(module, *pairs) == pytest.approx(expected, abs=1e-5)


WORDS = ("the cat sat down", "a cat", "the dog ran", "no", "cat dog")
TEXTS = [*zip(WORDS, WORDS[1:] + WORDS[:1], strict=True)]
TAGS = [("NN", "VB"), ("VB",), ("NN", "NN", "VB"), ("NN",), ("VB", "VB")]


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("accuracy", TEXTS),
        ("answer-f1", [((reference,), prediction) for reference, prediction in TEXTS]),
        ("rouge-l", TEXTS),
    ],
)
def test_value_is_the_mean_of_the_rows(name, pairs):
    module = registry.load("metric", name)
    assert module.value(pairs) == pytest.approx(math.fsum(module.rows(pairs)) / len(pairs))


@pytest.mark.parametrize(
    ("name", "pairs"),
    [
        ("span-f1", [(tags, ("NN",) * len(tags)) for tags in TAGS]),
        ("word-error-rate", TEXTS),
    ],
)
def test_value_is_the_ratio_of_the_sums_of_shares(name, pairs):
    module = registry.load("metric", name)
    numerators, denominators = zip(*module.shares(pairs), strict=True)
    assert module.value(pairs) == pytest.approx(sum(numerators) / sum(denominators))


def test_correlation_of_constants_is_undefined():
    assert math.isnan(metric_value("spearman", (1, 0.5), (2, 0.5), (3, 0.5)))


def box(label, x0, y0, x1, y1, score=1.0):
    return Box(label, score, (x0, y0, x1, y1))


BOXES = (box("cat", 0, 0, 10, 10), box("dog", 20, 20, 40, 40))


@pytest.mark.parametrize(
    ("detections", "expected"),
    [
        (BOXES, 1.0),
        ((), 0.0),
        # The dog is missing, the cat is right: the mean over two classes.
        (BOXES[:1], 0.5),
        # Half of the cat: an overlap of 0.5 passes one of ten thresholds.
        ((box("cat", 0, 0, 10, 5), BOXES[1]), (0.1 + 1) / 2),
        # Detections of a class without references are ignored; a wrong class counts.
        ((*BOXES, box("tree", 0, 0, 5, 5)), 1.0),
        ((BOXES[0], box("cat", 20, 20, 40, 40, 0.5)), 0.5),
        # A wrong box with a higher score before the correct one: precision 1/2 at full recall.
        ((BOXES[0], box("dog", 60, 60, 70, 70, 0.9), box("dog", 20, 20, 40, 40, 0.8)), 0.75),
    ],
)
def test_known_values_of_mean_average_precision(detections, expected):
    assert metric_value("mean-average-precision", (BOXES, detections)) == pytest.approx(
        expected, abs=1e-3
    )


def test_mean_average_precision_without_reference_boxes_is_undefined():
    assert math.isnan(metric_value("mean-average-precision", ((), BOXES)))


def test_best_of_several_captions_counts():
    assert metric_value("rouge-l", (["a dog", "the cat sat"], "the cat sat")) == pytest.approx(1.0)


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


def test_clip_score_is_the_cosine_of_the_embeddings(clip, monkeypatch):
    from PIL import Image
    from transformers import CLIPModel, CLIPProcessor

    monkeypatch.setenv("JOULEBENCH_CLIP", str(clip))
    images = [Image.effect_noise((40, 30), 50 + 20 * n).convert("RGB") for n in range(3)]
    inputs = CLIPProcessor.from_pretrained(clip)(
        text=["a cat"] * 3, images=images, return_tensors="pt", padding=True
    )
    with torch.inference_mode():
        net = CLIPModel.from_pretrained(clip)
        cosines = (net(**inputs).logits_per_image / net.logit_scale.exp())[:, 0]
    expected = [max(0.0, 100 * float(cosine)) for cosine in cosines]
    assert max(expected) > 0
    module = registry.load("metric", "clip-score")
    got = module.rows([("a cat", image) for image in images])
    assert got == pytest.approx(expected, abs=0.01)
    # Several images of one prompt, the frames of a video, count with their mean.
    (mean,) = module.rows([("a cat", images)])
    assert mean == pytest.approx(100 * max(0.0, float(cosines.mean())), abs=0.01)

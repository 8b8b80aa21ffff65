"""Metrics against known values, their intervals, and what is missing where it can't be judged."""

import math
import sys
from dataclasses import replace

import pytest
from walk import TASK

from bench import doubts, find, quality
from bench.task import Metric, Output, Request, workload

SIDES = ("higher", "lower")


def value(room, *pairs):
    return find.module("metric", room).value(pairs)


@pytest.mark.parametrize("name", find.names("metric"))
def test_a_metric_keeps_its_contract(name):
    room = find.module("metric", name)
    assert room.BETTER in SIDES and room.RANGE[0] < room.RANGE[1]
    assert find.headline("metric", name).endswith(".")


@pytest.mark.parametrize(
    ("room", "pairs", "expected"),
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
def test_known_values(room, pairs, expected):
    assert value(room, *pairs) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("name", find.names("metric"))
def test_rows_and_shares_make_the_value(name):
    room = find.module("metric", name)
    words = ["the cat sat down", "a cat", "the dog ran", "no", "cat dog"]
    tags = [("NN", "VB"), ("VB",), ("NN", "NN", "VB"), ("NN",), ("VB", "VB")]
    pairs = [*zip(words, words[1:] + words[:1], strict=True)]
    if name == "answer-f1":
        pairs = [((right,), got) for right, got in pairs]
    if name == "span-f1":
        pairs = [(t, ("NN",) * len(t)) for t in tags]
    if hasattr(room, "rows"):
        assert room.value(pairs) == pytest.approx(math.fsum(room.rows(pairs)) / 5)
    if hasattr(room, "shares"):
        above, below = zip(*room.shares(pairs), strict=True)
        assert room.value(pairs) == pytest.approx(sum(above) / sum(below))


def test_nothing_to_rank_is_no_correlation_and_not_zero():
    assert math.isnan(value("spearman", (1, 0.5), (2, 0.5), (3, 0.5)))
    room = find.module("metric", "spearman")
    assert quality.interval(room, [(1, 0.5), (2, 0.5)]) is None


def test_the_interval_of_right_or_wrong_answers_is_wilsons():
    room = find.module("metric", "accuracy")
    got = quality.interval(room, [("a", "a")] * 45 + [("a", "b")] * 5)
    # Wilson's interval of 45 in 50 (Brown, Cai and DasGupta 2001).
    assert got == pytest.approx((0.9, 0.7864, 0.9565), abs=1e-4)


def test_a_bootstrap_covers_as_the_normal_interval_does_and_repeats():
    """Word errors of 400 texts: 1.96 s/sqrt(n), the ratio's linear approximation."""
    room = find.module("metric", "word-error-rate")
    pairs = [("a b c d", "a b c d" if n % 3 else "a x y d") for n in range(400)]
    got = quality.interval(room, pairs)
    assert got == quality.interval(room, pairs)
    half = 1.96 * 0.5 * math.sqrt(1 / 3 * 2 / 3 / 400)
    assert got[0] == pytest.approx(134 * 2 / 1600)
    assert got[2] - got[1] == pytest.approx(2 * half, rel=0.15)


def test_one_graded_answer_has_no_interval():
    assert quality.interval(find.module("metric", "rouge-l"), [("a b", "a")]) is None


def test_each_request_counts_once_by_its_first_answer():
    asked = [Request({"text": str(n)}, "yes") for n in range(3)]
    answers = [(r, Output(label="yes")) for r in asked] + [(r, Output(label="no")) for r in asked]
    rows = [{"text": "x", "label": "yes"}]
    found = quality.judge(workload(TASK, "embedded", rows, {}), answers)
    assert (found.sample_count, found.value) == (3, 1.0)


def test_a_missing_library_costs_the_quality_and_says_how_to_have_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    work = workload(TASK, "embedded", [{"text": "x", "label": "yes"}], {})
    with pytest.raises(quality.Unjudged, match=r"joulebench\[quality\]"):
        quality.judge(work, [(work.requests[0], Output(label="yes"))])
    assert "joulebench[quality]" in doubts.doubt("quality-missing").cure


def test_no_reference_is_no_quality():
    work = workload(TASK, "embedded", [{"text": "x"}], {})
    assert quality.judge(work, [(work.requests[0], Output(label="yes"))]) is None
    unsure = replace(TASK, metric=Metric("mean", "accuracy", lambda asked, got: None))
    work = workload(unsure, "embedded", [{"text": "x", "label": "yes"}], {})
    assert quality.judge(work, [(work.requests[0], Output(label="yes"))]) is None

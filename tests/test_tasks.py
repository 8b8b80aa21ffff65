"""Task files: their contract, their shipped requests, and how rows become requests and answers."""

import json
import re
import typing
from pathlib import Path

import pytest
from PIL import Image

from bench.system import registry
from bench.task import Box, Embedded, Hub, Output, Request, Unit
from bench.workloads import dataset_loader, embedded
from bench.workloads.workload import BLOCK_SIZE, fingerprint

NAMES = registry.names("task")
BOX = Box("cat", 1.0, (0.0, 0.0, 2.0, 2.0))
GOLDEN = json.loads((Path(__file__).parent / "fingerprints.json").read_text())


@pytest.fixture(scope="module", params=NAMES)
def task(request):
    return registry.find_task(request.param)


@pytest.fixture(scope="module", params=embedded.TASK_IDS)
def shipped_task(request):
    """A task whose requests ship with the package."""
    return registry.find_task(request.param)


def test_task_keeps_its_contract(task):
    assert task.id in NAMES
    assert task.title and task.inference and task.metric.name
    assert task.unit in typing.get_args(Unit)
    assert task.metric.module in registry.names("metric")
    assert registry.task_tag(task.id) == task.tag == registry.find_task(task.tag).tag
    assert registry.first_docstring_line("task", task.id)
    for source in task.datasets.values():
        # A data set on a branch, or one that needs code of its own, is named in docs/decisions.
        assert isinstance(source, Embedded) or re.fullmatch(r"[0-9a-f]{40}|main", source.revision)


def test_shipped_task_has_an_embedded_and_a_hub_data_set(shipped_task):
    assert isinstance(shipped_task.datasets["embedded"], Embedded)
    assert any(isinstance(source, Hub) for source in shipped_task.datasets.values())


def test_shipped_requests_have_references_and_are_enough(shipped_task):
    """At least 980 texts, or 20 images or sounds."""
    work = dataset_loader.load_dataset_workload(shipped_task, "embedded")
    texts = all(isinstance(v, str | tuple) for r in work.requests for v in r.inputs.values())
    assert len(work.requests) >= (980 if texts else 20)
    # No labelled data exists for the video of a prompt.
    assert shipped_task.id == "video-gen" or all(r.reference is not None for r in work.requests)
    assert len(work.blocks) == len(work.requests) // BLOCK_SIZE
    assert work.parameters.items() >= shipped_task.parameters.items()


def test_row_without_the_needed_column_is_refused_in_one_sentence(task, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"nothing": "of use"}\n')
    with pytest.raises(dataset_loader.DatasetNotFound) as caught:
        dataset_loader.load_dataset_workload(task, str(path))
    assert "\n" not in str(caught.value)


def test_output_equal_to_the_reference_has_the_best_quality(shipped_task):
    metric = shipped_task.metric_of("embedded")
    if metric.needs_judge or metric.module == "clip-score":
        pytest.skip("the reference is not an image")
    work = dataset_loader.load_dataset_workload(shipped_task, "embedded")
    module = registry.load("metric", metric.module)
    pairs = [metric.answer(r, perfect_output(r.reference)) for r in work.requests[:30]]
    assert None not in pairs
    best = 1.0 if module.BETTER == "higher" else 0.0
    assert module.value(pairs) == pytest.approx(best, abs=1e-4)


def perfect_output(reference):
    """An output with the reference in every field of its type."""
    several = isinstance(reference, tuple)
    text = reference[0] if several else reference
    return Output(
        text=text if isinstance(text, str) else None,
        label=text if isinstance(text, str) else None,
        labels=reference if several and isinstance(text, str) else None,
        score=reference if isinstance(reference, float) else None,
        boxes=reference if several and isinstance(text, Box) else None,
    )


def test_every_shipped_data_set_has_a_golden_fingerprint():
    assert sorted(GOLDEN) == sorted(embedded.TASK_IDS)


@pytest.mark.parametrize("task_id", GOLDEN)
def test_fingerprint_is_the_golden_one(task_id):
    """If this fails, the work has changed: raise the task's version and the golden value."""
    work = dataset_loader.load_dataset_workload(registry.find_task(task_id), "embedded")
    assert work.fingerprint == GOLDEN[task_id]


def test_standard_and_power_hungry_profiles_differ(task):
    """The profiles of AI Energy Score and of Power Hungry: other data, other parameters."""
    standard, power_hungry = task.datasets.get("standard"), task.datasets.get("power-hungry")
    if standard is None or power_hungry is None:
        pytest.skip("one of the two studies does not have this task")
    row = {"text": "word " * 60, "prompt": "word " * 60, "Prompt": "word " * 60}
    row |= {"question": "What?", "context": "word " * 60}
    row["image"] = Image.new("RGB", (8, 8))
    fingerprints = set()
    for source in (standard, power_hungry):
        merged = {**task.parameters, **source.parameters}
        fingerprints.add(fingerprint(task, merged, [task.request(row, merged)]))
    if standard.parameters != power_hungry.parameters:
        assert len(fingerprints) == 2
    assert standard.repository != power_hungry.repository


def test_power_hungry_prompts_are_cut_as_in_the_study():
    text_gen, image_gen = registry.find_task("text-gen"), registry.find_task("image-gen")
    row = {"text": " ".join(map(str, range(60))), "Prompt": " ".join(map(str, range(60)))}
    cut = text_gen.request(row, text_gen.datasets["power-hungry"].parameters)
    assert len(cut.inputs["text"].split()) == 20
    assert cut.reference == "20"
    drawn = image_gen.request(row, image_gen.datasets["power-hungry"].parameters)
    assert len(drawn.inputs["prompt"].split()) == 50
    assert image_gen.datasets["standard"].parameters["steps"] == 30
    assert "steps" not in image_gen.datasets["power-hungry"].parameters


@pytest.mark.parametrize(
    ("name", "reference", "output", "expected"),
    [
        ("text-gen", "honor", Output(text=" Honor and"), ("honor", "honor")),
        ("text-gen", "honor", Output(text=", own"), ("honor", "own")),
        ("text-gen", "honor", Output(text="!!"), ("honor", "")),
        ("text-gen", None, Output(text="own"), None),
        ("text-classification", "neg", Output(label="NEGATIVE"), ("neg", "neg")),
        ("text-classification", "pos", Output(label="NEGATIVE"), ("pos", "negative")),
        ("text-classification", "spam", Output(label="ham"), ("spam", "ham")),
        ("text-classification", "spam", Output(label="LABEL_1"), None),
        ("image-classification", "tench", Output(label="tench, Tinca tinca"), ("tench", "tench")),
        ("image-classification", "T_shirt", Output(label="t shirt"), ("t shirt", "t shirt")),
        ("image-classification", "bag", Output(label="dress"), ("bag", "dress")),
        ("image-classification", "bag", Output(label="LABEL_3"), None),
        ("image-captioning", ("a cat", "a pet"), Output(text="cat"), (["a cat", "a pet"], "cat")),
        ("image-captioning", None, Output(text="cat"), None),
        ("asr", "i'm here", Output(text="I’m - Here."), ("i'm here", "i'm here")),
        ("object-detection", (BOX,), Output(boxes=()), ((BOX,), ())),
        ("object-detection", None, Output(boxes=()), None),
        # Text without a label is a refusal, which is a wrong answer.
        ("text-classification", "spam", Output(text="I cannot tell"), ("spam", "")),
        ("text-classification", "spam", Output(), None),
        ("summarization", "A whale", Output(text="A whale"), ("A whale", "A whale")),
        ("summarization", None, Output(text="A whale"), None),
        ("question-answering", ("a", "b"), Output(text="b"), (("a", "b"), "b")),
        ("question-answering", None, Output(text="b"), None),
        ("sentence-similarity", 0.0, Output(score=0.5), (0.0, 0.5)),
        ("sentence-similarity", None, Output(score=0.5), None),
        ("fill-mask", "whale", Output(text=" Whale"), ("whale", "whale")),
        ("token-classification", ("O",), Output(labels=("B-PER",)), (("O",), ("B-PER",))),
    ],
)
def test_answer_is_the_pair_for_the_metric(name, reference, output, expected):
    assert (
        registry.find_task(name).metric.answer(Request({"text": ""}, reference), output) == expected
    )


def test_embedded_images_are_scored_by_a_classifier_and_others_by_clip():
    task = registry.find_task("image-gen")
    request = Request({"prompt": "a coat"}, "coat")
    own = task.metric_of("embedded")
    assert own.needs_judge and own.name == "classifier agreement"
    assert own.answer(request, Output(label="shirt")) == ("coat", "shirt")
    assert own.answer(request, Output()) is None
    assert task.metric_of("standard").module == "clip-score"
    assert task.metric_of("standard").answer(request, Output(image="drawn")) == ("a coat", "drawn")
    frames = tuple(range(9))
    pair = registry.find_task("video-gen").metric.answer(request, Output(frames=frames))
    assert pair == ("a coat", [0, 4, 8])


def make_request(name, row):
    task = registry.find_task(name)
    return task.request(row, task.parameters)


def test_rows_of_published_data_sets_become_requests():
    squad = {"question": "Who?", "context": "He did.", "answers": {"text": ["He", "He", "he"]}}
    assert make_request("question-answering", squad).reference == ("He", "he")
    unanswerable = {"question": "Who?", "context": "He did.", "answers": {"text": []}}
    assert make_request("question-answering", unanswerable).reference is None
    sciq = {"question": "What?", "support": "It boils.", "correct_answer": "water"}
    assert make_request("question-answering", sciq).inputs["context"] == "It boils."
    assert make_request("question-answering", {**sciq, "support": " "}) is None
    news = {"article": "It rained.", "highlights": "Rain."}
    assert make_request("summarization", news) == Request({"text": "It rained."}, "Rain.")
    sst2 = {"sentence": "a fine film", "label": "positive"}
    assert make_request("text-classification", sst2) == Request({"text": "a fine film"}, "positive")
    named = {"tokens": ["Ann", "swims"], "ner_tags": ["B-PER", "O"]}
    assert make_request("token-classification", named).reference == ("B-PER", "O")
    assert make_request("token-classification", {**named, "ner_tags": [1, 0]}).reference is None
    stsb = {"sentence1": "a", "sentence2": "b", "score": 0}
    assert make_request("sentence-similarity", stsb).reference == 0.0


def test_masked_word_depends_on_the_text_alone():
    row = {"text": "Mr. Ahab saw the white whale, and he did not come back from the sea."}
    first = make_request("fill-mask", row)
    assert first == make_request("fill-mask", dict(row))
    assert first.inputs["text"].replace("[MASK]", first.reference) == row["text"]
    assert first.reference.islower() and len(first.reference) >= 3
    assert make_request("fill-mask", {"text": "I am"}) is None
    long = make_request("fill-mask", {"text": "word " * 500})
    assert len(long.inputs["text"].split()) == 100

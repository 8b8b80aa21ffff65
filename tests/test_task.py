"""Every task file, its blocks and its fingerprint."""

import json
import re
import typing
from pathlib import Path

import numpy
import pytest
from PIL import Image

from bench.system import registry
from bench.task import Box, Embedded, Hub, Output, Request, Unit
from bench.workloads import dataset_loader
from bench.workloads.workload import BLOCK_SIZE, deal, fingerprint

NAMES = registry.names("task")
BOX = Box("cat", 1.0, (0.0, 0.0, 2.0, 2.0))
GOLDEN = json.loads((Path(__file__).parent / "fingerprints.json").read_text())


@pytest.fixture(scope="module", params=NAMES)
def task(request):
    return registry.find_task(request.param)


def test_a_task_keeps_its_contract(task):
    assert task.id in NAMES
    assert task.title and task.inference and task.metric.name
    assert task.unit in typing.get_args(Unit)
    assert task.metric.module in registry.names("metric")
    assert isinstance(task.datasets["embedded"], Embedded)
    on_hub = [source for name, source in task.datasets.items() if name != "embedded"]
    assert on_hub and all(isinstance(source, Hub) for source in on_hub)
    # A data set that runs code of its own, or is not pinned, says so in docs/decisions.
    assert all(re.fullmatch(r"[0-9a-f]{40}|main", source.revision) for source in on_hub)
    assert registry.task_tag(task.id) == task.tag
    assert registry.find_task(task.tag) is task
    assert registry.first_docstring_line("task", task.id)


def test_embedded_work_has_answers_and_is_long_enough(task):
    """A thousand texts where there are as many; what is heard or seen is at least twenty."""
    work = dataset_loader.load_dataset_workload(task, "embedded")
    texts = all(isinstance(v, str | tuple) for r in work.requests for v in r.inputs.values())
    assert len(work.requests) >= (980 if texts else 20)
    # Nobody has said what a video of a prompt looks like.
    assert task.id == "video-gen" or all(r.reference is not None for r in work.requests)
    assert len(work.blocks) == len(work.requests) // BLOCK_SIZE
    assert work.parameters.items() >= task.parameters.items()


def test_a_row_without_what_a_task_asks_is_one_sentence(task, tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"nothing": "of use"}\n')
    with pytest.raises(dataset_loader.DatasetNotFound) as caught:
        dataset_loader.load_dataset_workload(task, str(path))
    assert "\n" not in str(caught.value)


def test_an_answer_that_is_the_reference_is_right(task):
    """Every task's own answers, given back, are the best that its metric knows."""
    metric = task.metric_of("embedded")
    if metric.needs_judge or metric.module == "clip-score":
        pytest.skip("somebody has to look at what was drawn")
    work = dataset_loader.load_dataset_workload(task, "embedded")
    module = registry.load("metric", metric.module)
    pairs = [metric.answer(r, perfect(r.reference)) for r in work.requests[:30]]
    assert None not in pairs
    assert module.value(pairs) == pytest.approx(1.0 if module.BETTER == "higher" else 0.0, abs=1e-4)


def perfect(reference):
    """An output that says what the reference says, in every way that there is."""
    several = isinstance(reference, tuple)
    text = reference[0] if several else reference
    return Output(
        text=text if isinstance(text, str) else None,
        label=text if isinstance(text, str) else None,
        labels=reference if several and isinstance(text, str) else None,
        score=reference if isinstance(reference, float) else None,
        boxes=reference if several and isinstance(text, Box) else None,
    )


def test_fingerprint_is_the_golden_one(task):
    """If this fails the work has changed: raise the task's version and the golden value."""
    assert dataset_loader.load_dataset_workload(task, "embedded").fingerprint == GOLDEN[task.id]


def test_profiles_of_the_two_studies_differ(task):
    """AI Energy Score's profile and Power Hungry's: other data, other parameters."""
    standard, hungry = task.datasets.get("standard"), task.datasets.get("power-hungry")
    if standard is None or hungry is None:
        pytest.skip("one of the two studies does not have this task")
    row = {"text": "word " * 60, "prompt": "word " * 60, "Prompt": "word " * 60}
    row |= {"question": "What?", "context": "word " * 60}
    row["image"] = Image.new("RGB", (8, 8))
    prints = set()
    for source in (standard, hungry):
        merged = {**task.parameters, **source.parameters}
        prints.add(fingerprint(task, merged, [task.request(row, merged)]))
    if standard.parameters != hungry.parameters:
        assert len(prints) == 2
    assert standard.repository != hungry.repository


def test_power_hungry_cuts_prompts_as_the_study_did():
    text_gen, image_gen = registry.find_task("text-gen"), registry.find_task("image-gen")
    row = {"text": " ".join(map(str, range(60))), "Prompt": " ".join(map(str, range(60)))}
    cut = text_gen.request(row, text_gen.datasets["power-hungry"].parameters)
    assert len(cut.inputs["text"].split()) == 20
    assert cut.reference == "20"
    drawn = image_gen.request(row, image_gen.datasets["power-hungry"].parameters)
    assert len(drawn.inputs["prompt"].split()) == 50
    assert image_gen.datasets["standard"].parameters["steps"] == 30
    assert "steps" not in image_gen.datasets["power-hungry"].parameters


def test_blocks_hold_every_request_once_and_are_alike_in_length():
    requests = [Request({"text": "x" * (n * n % 997 + 1)}) for n in range(1000)]
    blocks = deal(requests)
    assert len(blocks) == 100
    assert {id(r) for block in blocks for r in block} == {id(r) for r in requests}
    sizes = [sum(r.length for r in block) for block in blocks]
    assert max(sizes) / min(sizes) < 1.03


def test_fewer_than_ten_requests_are_cycled():
    requests = [Request({"text": str(n)}) for n in range(3)]
    (block,) = deal(requests)
    assert [r.inputs["text"] for r in block] == list("0120120120")


def test_blocks_start_over_after_the_last():
    work = dataset_loader.load_dataset_workload(registry.find_task("image-gen"), "embedded")
    ids = work.block_ids(250)
    assert ids[:3] == (0, 1, 2) and ids[100:102] == (0, 1) and max(ids) == 99


def test_pixels_enter_the_fingerprint_and_not_the_file():
    task = registry.find_task("image-gen")
    pixels = numpy.arange(48, dtype=numpy.uint8).reshape(4, 4, 3)
    one = fingerprint(task, {}, [Request({"image": Image.fromarray(pixels)})])
    same = fingerprint(task, {}, [Request({"image": pixels.copy()})])
    pixels[0, 0, 0] = 255
    other = fingerprint(task, {}, [Request({"image": pixels})])
    assert one == same != other


def test_fingerprint_covers_parameters_and_answers():
    task = registry.find_task("text-classification")
    ask = Request({"text": "a"}, "ham")
    base = fingerprint(task, {}, [ask])
    assert base != fingerprint(task, {"x": 1}, [ask])
    assert base != fingerprint(task, {}, [Request({"text": "a"}, "spam")])


@pytest.mark.parametrize(
    ("name", "asked", "output", "expected"),
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
        # Words where a label was asked for: a refusal is a wrong answer.
        ("text-classification", "spam", Output(text="I can't tell"), ("spam", "")),
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
def test_answers(name, asked, output, expected):
    assert registry.find_task(name).metric.answer(Request({"text": ""}, asked), output) == expected


def test_words_and_boxes_enter_the_fingerprint():
    task = registry.find_task("text-classification")
    box = Box("cat", 1.0, (0.0, 0.0, 4.0, 3.0))
    moved = Box("cat", 1.0, (0.0, 0.0, 4.0, 3.5))
    asked = Request({"words": ("a", "cat")}, (box,))
    assert asked.length == 4
    base = fingerprint(task, {}, [asked])
    assert base != fingerprint(task, {}, [Request({"words": ("a", "cat")}, (moved,))])
    assert base != fingerprint(task, {}, [Request({"words": ("ac", "at")}, (box,))])


def test_pictures_of_clothes_have_a_judge_and_others_need_clip():
    task = registry.find_task("image-gen")
    asked = Request({"prompt": "a coat"}, "coat")
    own = task.metric_of("embedded")
    assert own.needs_judge and own.name == "classifier agreement"
    assert own.answer(asked, Output(label="shirt")) == ("coat", "shirt")
    assert own.answer(asked, Output()) is None
    assert task.metric_of("standard").module == "clip-score"
    assert task.metric_of("standard").answer(asked, Output(image="drawn")) == ("a coat", "drawn")
    frames = tuple(range(9))
    judged = registry.find_task("video-gen").metric.answer(asked, Output(frames=frames))
    assert judged == ("a coat", [0, 4, 8])


def request(name, row):
    task = registry.find_task(name)
    return task.request(row, task.parameters)


def test_rows_of_the_published_sets_become_requests():
    squad = {"question": "Who?", "context": "He did.", "answers": {"text": ["He", "He", "he"]}}
    assert request("question-answering", squad).reference == ("He", "he")
    unanswerable = {"question": "Who?", "context": "He did.", "answers": {"text": []}}
    assert request("question-answering", unanswerable).reference is None
    sciq = {"question": "What?", "support": "It boils.", "correct_answer": "water"}
    assert request("question-answering", sciq).inputs["context"] == "It boils."
    assert request("question-answering", {**sciq, "support": " "}) is None
    news = {"article": "It rained.", "highlights": "Rain."}
    assert request("summarization", news) == Request({"text": "It rained."}, "Rain.")
    sst2 = {"sentence": "a fine film", "label": "positive"}
    assert request("text-classification", sst2) == Request({"text": "a fine film"}, "positive")
    named = {"tokens": ["Ann", "swims"], "ner_tags": ["B-PER", "O"]}
    assert request("token-classification", named).reference == ("B-PER", "O")
    assert request("token-classification", {**named, "ner_tags": [1, 0]}).reference is None
    stsb = {"sentence1": "a", "sentence2": "b", "score": 0}
    assert request("sentence-similarity", stsb).reference == 0.0


def test_a_word_is_taken_out_and_is_always_the_same():
    row = {"text": "Mr. Ahab saw the white whale, and he did not come back from the sea."}
    first = request("fill-mask", row)
    assert first == request("fill-mask", dict(row))
    assert first.inputs["text"].replace("[MASK]", first.reference) == row["text"]
    assert first.reference.islower() and len(first.reference) >= 3
    assert request("fill-mask", {"text": "I am"}) is None
    long = request("fill-mask", {"text": "word " * 500})
    assert len(long.inputs["text"].split()) == 100

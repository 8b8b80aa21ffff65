"""Workloads: requests split into blocks of equal work, and the fingerprint of the work."""

import numpy
from PIL import Image

from bench.system import registry
from bench.task import Box, Request
from bench.workloads import dataset_loader
from bench.workloads.workload import build_workload, fingerprint, split_into_blocks


def test_blocks_hold_every_request_once_and_have_equal_length():
    requests = [Request({"text": "x" * (n * n % 997 + 1)}) for n in range(1000)]
    blocks = split_into_blocks(requests)
    assert len(blocks) == 100
    assert {id(r) for block in blocks for r in block} == {id(r) for r in requests}
    sizes = [sum(r.length for r in block) for block in blocks]
    assert max(sizes) / min(sizes) < 1.03


def test_fewer_than_ten_requests_are_cycled():
    requests = [Request({"text": str(n)}) for n in range(3)]
    (block,) = split_into_blocks(requests)
    assert [r.inputs["text"] for r in block] == list("0120120120")


def test_blocks_start_over_after_the_last():
    work = dataset_loader.load_dataset_workload(registry.find_task("image-gen"), "embedded")
    ids = work.block_ids(250)
    assert ids[:3] == (0, 1, 2) and ids[100:102] == (0, 1) and max(ids) == 99


def test_fingerprint_covers_pixels_and_not_the_file_format():
    task = registry.find_task("image-gen")
    pixels = numpy.arange(48, dtype=numpy.uint8).reshape(4, 4, 3)
    one = fingerprint(task, {}, [Request({"image": Image.fromarray(pixels)})])
    same = fingerprint(task, {}, [Request({"image": pixels.copy()})])
    pixels[0, 0, 0] = 255
    other = fingerprint(task, {}, [Request({"image": pixels})])
    assert one == same != other


def test_fingerprint_covers_parameters_and_references():
    task = registry.find_task("text-classification")
    request = Request({"text": "a"}, "ham")
    base = fingerprint(task, {}, [request])
    assert base != fingerprint(task, {"x": 1}, [request])
    assert base != fingerprint(task, {}, [Request({"text": "a"}, "spam")])


def test_fingerprint_covers_words_and_boxes():
    task = registry.find_task("text-classification")
    box = Box("cat", 1.0, (0.0, 0.0, 4.0, 3.0))
    moved = Box("cat", 1.0, (0.0, 0.0, 4.0, 3.5))
    request = Request({"words": ("a", "cat")}, (box,))
    assert request.length == 4
    base = fingerprint(task, {}, [request])
    assert base != fingerprint(task, {}, [Request({"words": ("a", "cat")}, (moved,))])
    assert base != fingerprint(task, {}, [Request({"words": ("ac", "at")}, (box,))])


def test_unusable_rows_are_left_out_before_the_limit():
    task = registry.find_task("text-classification")
    rows = [{"text": ""}, *({"text": f"row {n}"} for n in range(30))]
    work = build_workload(task, "x", rows, {}, limit=20)
    assert [r.inputs["text"] for r in work.requests] == [f"row {n}" for n in range(20)]

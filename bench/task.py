"""Task, Request, Output, Metric: what a task file is made of; its requests dealt into blocks."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

BLOCK_SIZE = 10

Row = Mapping[str, Any]
Setting = bool | int | float | str | None
Unit = Literal["inference", "token", "image", "audio-second", "video-second"]


@dataclass(frozen=True)
class Request:
    """One inference to make: named inputs, and the right answer if known.

    An input is a text, an image, a sound or a tuple of words; an answer may be a tuple of boxes.
    """

    inputs: Mapping[str, Any]
    reference: Any = None

    @property
    def length(self) -> int:
        """Size of the input: characters, pixels or samples. It balances the blocks."""
        return sum(_length(value) for value in self.inputs.values())


@dataclass(frozen=True)
class Box:
    """One object in an image. `corners` are (x0, y0, x1, y1) in pixels of the image as given."""

    label: str
    score: float
    corners: tuple[float, float, float, float]


@dataclass(frozen=True)
class Output:
    """What came back for one request; a kind of model fills what it gives.

    `labels` holds one label a word, `score` a similarity, `frames` the images of a video.
    """

    text: str | None = None
    label: str | None = None
    image: Any = None
    labels: tuple[str, ...] | None = None
    score: float | None = None
    frames: tuple[Any, ...] | None = None
    boxes: tuple[Box, ...] | None = None


@dataclass(frozen=True)
class Metric:
    """How well a model answers: `name` as a record shows it, `room` the file that computes it.

    `room` is a file of bench/metrics. `answer` gives (reference, prediction) as that room wants
    them, or None where a request can't be judged. With `needs_judge` a classifier of pictures first
    fills the label of each output.
    """

    name: str
    room: str
    answer: Callable[[Request, Output], tuple[Any, Any] | None]
    needs_judge: bool = False


@dataclass(frozen=True)
class Embedded:
    """Requests that ship with the package; `metric` where they are judged in a way of their own."""

    file: str
    parameters: Mapping[str, Setting] = field(default_factory=dict)
    metric: Metric | None = None


@dataclass(frozen=True)
class Hub:
    """Requests from the Hugging Face hub, read through `datasets` at a pinned revision.

    `file` names one file of a repository that is too large to fetch whole.
    """

    repository: str
    revision: str
    split: str
    configuration: str | None = None
    file: str | None = None
    rows: int = 1000
    parameters: Mapping[str, Setting] = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One standardised workload. It names no model, no device and no meter.

    `tag` is the Hugging Face pipeline tag, which tells a backend what kind of model to load.
    `parameters` are fixed for every data set; a data set adds its own. `request` turns a row of a
    data set into a request, under those parameters, or gives None for a row that can't be used.
    """

    id: str
    version: int
    title: str
    tag: str
    inference: str
    unit: Unit
    parameters: Mapping[str, Setting]
    datasets: Mapping[str, Embedded | Hub]
    request: Callable[[Row, Mapping[str, Setting]], Request | None]
    metric: Metric

    def metric_of(self, dataset: str) -> Metric:
        """How answers to a data set's requests are judged."""
        source = self.datasets.get(dataset)
        own = source.metric if isinstance(source, Embedded) else None
        return own or self.metric


@dataclass(frozen=True)
class Workload:
    """A task with its requests at hand, dealt into blocks, and its fingerprint."""

    task: Task
    dataset: str
    dataset_revision: str | None
    parameters: Mapping[str, Setting]
    requests: tuple[Request, ...]
    blocks: tuple[tuple[Request, ...], ...]
    fingerprint: str

    @property
    def labels(self) -> tuple[str, ...]:
        """The right answers that are one label, each once, in alphabetical order."""
        return tuple(sorted({r.reference for r in self.requests if isinstance(r.reference, str)}))

    def block_ids(self, count: int) -> tuple[int, ...]:
        """The ids of the first `count` blocks, from block 0 on, starting over after the last."""
        return tuple(index % len(self.blocks) for index in range(count))


def workload(
    task: Task,
    dataset: str,
    rows: Iterable[Row],
    parameters: Mapping[str, Setting],
    revision: str | None = None,
    limit: int | None = None,
) -> Workload:
    """Turn the first `limit` rows that the task can use (all of them if None) into a workload.

    Raises ValueError where no row can be used.
    """
    merged = {**task.parameters, **parameters}
    made = (task.request(row, merged) for row in rows)
    usable = (request for request in made if request is not None)
    requests = tuple(itertools.islice(usable, limit))
    if not requests:
        raise ValueError(f"data set {dataset!r} has no row that {task.id} can use")
    return Workload(
        task=task,
        dataset=dataset,
        dataset_revision=revision,
        parameters=merged,
        requests=requests,
        blocks=deal(requests),
        fingerprint=fingerprint(task, merged, requests),
    )


def deal(requests: Sequence[Request]) -> tuple[tuple[Request, ...], ...]:
    """Deal requests into blocks of ten whose input lengths are as alike as can be.

    Sorted by length, the requests fall into ten layers; each block takes one of every layer,
    alternately from the short and the long end. Fewer than ten are cycled to fill one block;
    what does not fill a last block is left out.
    """
    if len(requests) < BLOCK_SIZE:
        filled = [requests[index % len(requests)] for index in range(BLOCK_SIZE)]
        return (tuple(filled),)
    count = len(requests) // BLOCK_SIZE
    by_length = sorted(requests[: count * BLOCK_SIZE], key=lambda request: request.length)
    layers = [by_length[start : start + count] for start in range(0, count * BLOCK_SIZE, count)]
    snaked = [layer if index % 2 == 0 else layer[::-1] for index, layer in enumerate(layers)]
    return tuple(zip(*snaked, strict=True))


def fingerprint(task: Task, parameters: Mapping[str, Setting], requests: Sequence[Request]) -> str:
    """SHA-256 over canonical JSON of id, version, fixed parameters and every request, in hex."""
    content = {
        "id": task.id,
        "version": task.version,
        "parameters": dict(parameters),
        "requests": [
            {
                "inputs": {k: _plain(v) for k, v in r.inputs.items()},
                "reference": _plain(r.reference),
            }
            for r in requests
        ],
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _length(value: Any) -> int:
    if isinstance(value, tuple | list):
        return sum(_length(part) for part in value)
    size = getattr(value, "size", None)
    if isinstance(size, tuple):
        return int(size[0] * size[1])
    return len(str(value)) if size is None else int(size)


def _plain(value: Any) -> Any:
    """A JSON value for an input; pixels and samples enter as the SHA-256 of what was decoded."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, tuple | list):
        return [_plain(part) for part in value]
    if isinstance(value, Box):
        return dataclasses.asdict(value)
    array = value if hasattr(value, "tobytes") and hasattr(value, "dtype") else _pixels(value)
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    return {"sha256": digest, "shape": list(array.shape), "dtype": str(array.dtype)}


def _pixels(image: Any) -> Any:
    import numpy

    return numpy.asarray(image)

"""Task, Request, Output, Metric: what a task file is made of; its requests dealt into blocks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

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

    `room` is a file of bench/workloads/metrics. `answer` gives (reference, prediction) as that room wants
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


def _length(value: Any) -> int:
    if isinstance(value, tuple | list):
        return sum(_length(part) for part in value)
    size = getattr(value, "size", None)
    if isinstance(size, tuple):
        return int(size[0] * size[1])
    return len(str(value)) if size is None else int(size)

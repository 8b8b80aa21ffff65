"""Public API of a task file: Task, Request, Output, Box, Metric, Embedded, Hub."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Row = Mapping[str, Any]
Setting = bool | int | float | str | None
Unit = Literal["inference", "token", "image", "audio-second", "video-second"]


@dataclass(frozen=True)
class Request:
    """The inputs of one inference by name, and the reference answer where it is known.

    An input is a text, a PIL image, an array of sound samples or a tuple of words. The reference
    has the type that `Metric.answer` of the task expects.
    """

    inputs: Mapping[str, Any]
    reference: Any = None

    @property
    def length(self) -> int:
        """Size of all inputs in characters, pixels or samples; blocks are stratified by it."""
        return sum(_length(value) for value in self.inputs.values())


@dataclass(frozen=True)
class Box:
    """One object in an image; `corners` are (x0, y0, x1, y1) in pixels of the input image."""

    label: str
    score: float
    corners: tuple[float, float, float, float]


@dataclass(frozen=True)
class Output:
    """The answer of a model to one request; the fields that its task does not use stay None.

    `labels` holds one label for each word, `score` a similarity, `frames` the images of a video.
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
    """A quality metric: `name` is shown in records, `module` computes it.

    `module` is the name of a file in `bench/workloads/metrics` ("word-error-rate"). `answer` turns
    a request and its output into the pair (reference, prediction) that the module takes, or None
    for a request that cannot be scored. With `needs_judge`, an image classifier first sets the
    label of each output.
    """

    name: str
    module: str
    answer: Callable[[Request, Output], tuple[Any, Any] | None]
    needs_judge: bool = False


@dataclass(frozen=True)
class Embedded:
    """A data set that ships with the package; `metric` replaces that of the task."""

    file: str
    parameters: Mapping[str, Setting] = field(default_factory=dict)
    metric: Metric | None = None


@dataclass(frozen=True)
class Hub:
    """A data set on the Hugging Face hub, loaded with `datasets`; its first `rows` usable rows.

    `revision` is a commit or a branch ("main"). A branch is resolved to a commit at each run, and
    the record keeps the commit. `file` loads one file of a large repository instead of all.
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
    """One standardised workload, independent of model, device and meter.

    `tag` is the Hugging Face pipeline tag; a backend selects the model class by it. `inference`
    says in words what one inference is, and `unit` in which unit energy is also reported.
    `parameters` hold for every data set; a data set adds its own. `request` turns a row of a data
    set and these parameters into a request, or returns None for a row that cannot be used.
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
        """The metric for a data set: its own, or that of the task."""
        source = self.datasets.get(dataset)
        replacement = source.metric if isinstance(source, Embedded) else None
        return replacement or self.metric


def _length(value: Any) -> int:
    if isinstance(value, tuple | list):
        return sum(_length(part) for part in value)
    size = getattr(value, "size", None)
    if isinstance(size, tuple):
        return int(size[0] * size[1])
    return len(str(value)) if size is None else int(size)

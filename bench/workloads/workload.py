"""Requests dealt into blocks; fingerprint."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.task import Box, Request, Row, Setting, Task

BLOCK_SIZE = 10


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

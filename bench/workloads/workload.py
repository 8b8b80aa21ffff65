"""A workload: the requests of a task on a data set, split into blocks, with a fingerprint."""

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
    """The requests of a task on one data set, also split into blocks of `BLOCK_SIZE`."""

    task: Task
    dataset: str
    dataset_revision: str | None
    parameters: Mapping[str, Setting]
    requests: tuple[Request, ...]
    blocks: tuple[tuple[Request, ...], ...]
    fingerprint: str

    @property
    def labels(self) -> tuple[str, ...]:
        """All references that are a single label, without duplicates, in alphabetical order."""
        return tuple(sorted({r.reference for r in self.requests if isinstance(r.reference, str)}))

    def block_ids(self, count: int) -> tuple[int, ...]:
        """The ids of `count` blocks from block 0 on, starting over after the last block."""
        return tuple(index % len(self.blocks) for index in range(count))


def build_workload(
    task: Task,
    dataset: str,
    rows: Iterable[Row],
    parameters: Mapping[str, Setting],
    revision: str | None = None,
    limit: int | None = None,
) -> Workload:
    """Build a workload from the first `limit` usable rows of a data set, or from all.

    `parameters` override those of the task; `revision` is the commit of the data set. Raises
    ValueError where no row is usable.
    """
    merged = {**task.parameters, **parameters}
    candidates = (task.request(row, merged) for row in rows)
    usable = (request for request in candidates if request is not None)
    requests = tuple(itertools.islice(usable, limit))
    if not requests:
        raise ValueError(f"data set {dataset!r} has no row that {task.id} can use")
    return Workload(
        task=task,
        dataset=dataset,
        dataset_revision=revision,
        parameters=merged,
        requests=requests,
        blocks=split_into_blocks(requests),
        fingerprint=fingerprint(task, merged, requests),
    )


def split_into_blocks(requests: Sequence[Request]) -> tuple[tuple[Request, ...], ...]:
    """Split requests into blocks of ten whose total input lengths are nearly equal.

    Stratified: sorted by length, the requests form ten strata, and each block takes one of each,
    from the short end of one stratum and the long end of the next. Fewer than ten requests are
    repeated to fill one block; a remainder that does not fill a block is left out.
    """
    if len(requests) < BLOCK_SIZE:
        return (tuple(itertools.islice(itertools.cycle(requests), BLOCK_SIZE)),)
    count = len(requests) // BLOCK_SIZE
    by_length = sorted(requests[: count * BLOCK_SIZE], key=lambda request: request.length)
    strata = [by_length[start : start + count] for start in range(0, count * BLOCK_SIZE, count)]
    alternating = [s if index % 2 == 0 else s[::-1] for index, s in enumerate(strata)]
    return tuple(zip(*alternating, strict=True))


def fingerprint(task: Task, parameters: Mapping[str, Setting], requests: Sequence[Request]) -> str:
    """SHA-256, in hex, over canonical JSON of task id, version, parameters and all requests."""
    content = {
        "id": task.id,
        "version": task.version,
        "parameters": dict(parameters),
        "requests": [
            {
                "inputs": {name: _json_value(value) for name, value in request.inputs.items()},
                "reference": _json_value(request.reference),
            }
            for request in requests
        ],
    }
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _json_value(value: Any) -> Any:
    """An input or a reference as JSON; images and sounds as the SHA-256 of their decoded array."""
    if isinstance(value, str | int | float | bool | None):
        return value
    if isinstance(value, tuple | list):
        return [_json_value(part) for part in value]
    if isinstance(value, Box):
        return dataclasses.asdict(value)
    import numpy

    array = numpy.asarray(value)
    digest = hashlib.sha256(array.tobytes()).hexdigest()
    return {"sha256": digest, "shape": list(array.shape), "dtype": str(array.dtype)}

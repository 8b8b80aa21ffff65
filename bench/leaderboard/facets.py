from __future__ import annotations

from functools import lru_cache
from types import ModuleType

from bench import find
from bench.task import Task


@lru_cache(maxsize=64)
def known_task(task_id: str) -> Task | None:
    """The task of this id, if this version has it."""
    return find.task(task_id) if task_id in find.names("task") else None


@lru_cache(maxsize=256)
def known_metric(task_id: str, dataset: str) -> ModuleType | None:
    """The room of the metric that judges this task on a data set, if this version has the task."""
    task = known_task(task_id)
    return find.module("metric", task.metric_of(dataset).room) if task else None

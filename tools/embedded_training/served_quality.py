"""The task's own metric on all shipped rows: of a model, served as in a run, and of a baseline."""

from __future__ import annotations

from collections.abc import Sequence

from bench.backends import ModelSpec, transformers
from bench.results.settings import ModelSettings
from bench.runner import quality
from bench.system import registry
from bench.task import Output
from bench.workloads import dataset_loader
from bench.workloads.workload import Workload

BATCH = 20


def load_workload(task_id: str) -> Workload:
    """The shipped requests of a task."""
    return dataset_loader.load_dataset_workload(registry.find_task(task_id), "embedded")


def serve(work: Workload, size: str) -> Sequence[Output]:
    """The outputs of the embedded model of one size for all requests, on the processor."""
    task = work.task
    settings = ModelSettings(batch_size=BATCH)
    spec = ModelSpec(
        task.id, task.tag, f"embedded/{size}", work.parameters, settings, labels=work.labels
    )
    return transformers.load(spec).serve(work.requests).outputs


def evaluate(work: Workload, outputs: Sequence[Output]) -> tuple[float, int]:
    """(value of the task's metric, requests with a reference) of one output a request."""
    result = quality.evaluate_quality(work, zip(work.requests, outputs, strict=True))
    if result is None:
        raise ValueError(f"{work.task.metric.name} is not defined for these outputs")
    return result.value, result.sample_count

"""The quality of an embedded model on its held-out rows, as a run of the benchmark computes it."""

from __future__ import annotations

from bench.backends import ModelSpec, transformers
from bench.results.record import Quality
from bench.results.settings import ModelSettings
from bench.runner import quality
from bench.system import registry
from bench.task import Output, Request
from bench.workloads import dataset_loader

Answer = tuple[Request, Output]


def serve(task_id: str, size: str) -> list[Answer]:
    """The answers of one embedded transformers model to all held-out requests, one at a time."""
    task = registry.find_task(task_id)
    workload = dataset_loader.load_dataset_workload(task, "embedded")
    spec = ModelSpec(
        task_id=task_id,
        tag=task.tag,
        model=f"embedded/{size}",
        parameters={**task.parameters, **task.datasets["embedded"].parameters},
        settings=ModelSettings(),
    )
    requests = workload.requests
    return list(zip(requests, transformers.load(spec).serve(requests).outputs, strict=True))


def constant(answers: list[Answer], output: Output) -> list[Answer]:
    """The same output for every request of `answers`: a baseline."""
    return [(request, output) for request, _ in answers]


def metric_value(task_id: str, answers: list[Answer]) -> float:
    """The task's metric without its interval, whose bootstrap takes minutes for some metrics."""
    metric = registry.find_task(task_id).metric_of("embedded")
    pairs = [metric.answer(request, output) for request, output in answers]
    return float(registry.load("metric", metric.module).value(pairs))


def evaluate(task_id: str, answers: list[Answer]) -> Quality:
    """The task's metric with its 95 % interval over some of the held-out requests."""
    workload = dataset_loader.load_dataset_workload(registry.find_task(task_id), "embedded")
    found = quality.evaluate_quality(workload, answers)
    if found is None:
        raise ValueError(f"{task_id} has no reference answers to evaluate")
    return found


def with_interval(found: Quality) -> str:
    """A quality as text: "0.412 (95 % interval 0.371 to 0.455)"."""
    return f"{found.value:.3f} (95 % interval {found.low:.3f} to {found.high:.3f})"

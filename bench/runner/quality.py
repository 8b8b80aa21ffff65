"""Quality of a model from its answers and their references, outside the measured window."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

from bench.results import statistics
from bench.results.record import Quality
from bench.system import registry
from bench.task import Output, Request
from bench.workloads.metrics import MetricUnavailable
from bench.workloads.workload import Workload

Answer = tuple[Request, Output]
Pair = tuple[Any, Any]
RESAMPLES = 1000  # of the bootstrap, as Efron and Tibshirani (1993) advise for percentiles
SEED = 20_240_711  # arbitrary; fixed, so that a record can be recomputed


def evaluate_quality(workload: Workload, answers: Iterable[Answer]) -> Quality | None:
    """The task's metric with its 95 % interval; each request counts once, by its first answer.

    Returns None where the data set has no reference answers, or where the metric is not defined for
    these answers. Raises MetricUnavailable without the library or the model that the metric needs.
    """
    metric = workload.task.metric_of(workload.dataset)
    first = first_answers(answers)
    if metric.needs_judge:
        first = _classify_images(first)
    candidates = [metric.answer(request, output) for request, output in first]
    pairs = [pair for pair in candidates if pair is not None]
    if not pairs:
        return None
    try:
        estimate = metric_interval(registry.load("metric", metric.module), pairs)
    except ImportError as error:
        raise MetricUnavailable(
            f"{metric.name} needs {error.name}: pip install 'joulebench[quality]'"
        ) from error
    if estimate is None:
        return None
    value, low, high = estimate
    return Quality(metric=metric.name, value=value, low=low, high=high, sample_count=len(pairs))


def first_answers(answers: Iterable[Answer]) -> list[Answer]:
    """Each request once, with its first answer."""
    first: dict[int, Answer] = {}
    for request, output in answers:
        first.setdefault(id(request), (request, output))
    return list(first.values())


def count_refusals(answers: Iterable[Answer]) -> int:
    """How many requests were answered with text that is no label; each counts once."""
    return sum(
        output.label is None and output.text is not None for _, output in first_answers(answers)
    )


def metric_interval(metric: ModuleType, pairs: Sequence[Pair]) -> tuple[float, float, float] | None:
    """Value of a metric with its 95 % interval: (value, low, high), or None where it has none.

    `metric` is a module of `bench.workloads.metrics`. Wilson's interval for scores of 0 and 1, else
    a percentile bootstrap over the requests (Efron 1979).
    """
    value = float(metric.value(pairs))
    if not math.isfinite(value):
        return None
    if hasattr(metric, "rows"):
        scores = metric.rows(pairs)
        if set(scores) <= {0.0, 1.0}:
            return statistics.wilson_interval(scores)
        return _bootstrap(value, [(score, 1.0) for score in scores], _ratio, RESAMPLES)
    if hasattr(metric, "shares"):
        return _bootstrap(value, metric.shares(pairs), _ratio, RESAMPLES)
    return _bootstrap(value, pairs, metric.value, getattr(metric, "RESAMPLES", RESAMPLES))


def _ratio(shares: Sequence[tuple[float, float]]) -> float:
    denominator = math.fsum(share[1] for share in shares)
    return math.fsum(share[0] for share in shares) / denominator if denominator else math.nan


def _bootstrap(
    value: float, items: Sequence[Any], statistic: Callable[[Sequence[Any]], float], times: int
) -> tuple[float, float, float] | None:
    """The central 95 % of a statistic over `times` resamples of the requests, with a fixed seed.

    Returns None for one request alone, which shows no scatter.
    """
    generator = random.Random(SEED)
    resampled = (float(statistic(generator.choices(items, k=len(items)))) for _ in range(times))
    values = sorted(one for one in resampled if math.isfinite(one))
    if len(items) < 2 or not values:
        return None
    tail = int(0.025 * len(values))
    return value, min(value, values[tail]), max(value, values[-1 - tail])


def _classify_images(answers: list[Answer]) -> list[Answer]:
    """The answers with the label of each image by a classifier of real images."""
    from bench.workloads.embedded import image_judge

    images = [(request, output.image) for request, output in answers if output.image is not None]
    labels = image_judge.classify_images([image for _, image in images])
    return [
        (request, Output(image=image, label=label))
        for (request, image), label in zip(images, labels, strict=True)
    ]

"""How well a model did: answers and their references -> Quality, outside the measured window."""

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
RESAMPLES = 1000
SEED = 20_240_711


class QualityUnavailable(RuntimeError):
    """Why answers could not be judged, in one sentence."""


def evaluate_quality(workload: Workload, answers: Iterable[Answer]) -> Quality | None:
    """How well the answers fit their requests; each request counts once, by its first answer.

    None where the data set has no reference answers, or where the metric is not defined for these
    answers. Raises Unjudged without the library or the model that the metric needs.
    """
    metric = workload.task.metric_of(workload.dataset)
    once = first_answers(answers)
    if metric.needs_judge:
        once = _recognised(once)
    found = [metric.answer(request, output) for request, output in once]
    pairs = [pair for pair in found if pair is not None]
    if not pairs:
        return None
    try:
        estimate = metric_interval(registry.load("metric", metric.module), pairs)
    except ImportError as error:
        raise QualityUnavailable(
            f"{metric.name} needs {error.name}: pip install 'joulebench[quality]'"
        ) from error
    except MetricUnavailable as error:
        raise QualityUnavailable(str(error)) from error
    if estimate is None:
        return None
    value, low, high = estimate
    return Quality(metric=metric.name, value=value, low=low, high=high, sample_count=len(pairs))


def first_answers(answers: Iterable[Answer]) -> list[Answer]:
    """Each request once, with the first answer that it got."""
    once: dict[int, Answer] = {}
    for request, output in answers:
        once.setdefault(id(request), (request, output))
    return list(once.values())


def count_refusals(answers: Iterable[Answer]) -> int:
    """How many requests got words where a label was asked for; each counts once."""
    return sum(
        output.label is None and output.text is not None for _, output in first_answers(answers)
    )


def metric_interval(room: ModuleType, pairs: Sequence[Pair]) -> tuple[float, float, float] | None:
    """Value of a metric with its 95 % interval: (value, low, high), or None where it has none.

    Wilson's interval for right-or-wrong scores, else a bootstrap over the requests.
    """
    value = float(room.value(pairs))
    if not math.isfinite(value):
        return None
    if hasattr(room, "rows"):
        scores = room.rows(pairs)
        if set(scores) <= {0.0, 1.0}:
            return statistics.wilson_interval(scores)
        return _bootstrap(value, [(score, 1.0) for score in scores], _ratio, RESAMPLES)
    if hasattr(room, "shares"):
        return _bootstrap(value, room.shares(pairs), _ratio, RESAMPLES)
    return _bootstrap(value, pairs, room.value, getattr(room, "RESAMPLES", RESAMPLES))


def _ratio(shares: Sequence[tuple[float, float]]) -> float:
    below = math.fsum(share[1] for share in shares)
    return math.fsum(share[0] for share in shares) / below if below else math.nan


def _bootstrap(
    value: float, items: Sequence[Any], statistic: Callable[[Sequence[Any]], float], times: int
) -> tuple[float, float, float] | None:
    """The middle 95 % of a statistic over requests drawn again and again, always the same way.

    None for one request alone, which shows no scatter.
    """
    draw = random.Random(SEED)
    drawn = (float(statistic(draw.choices(items, k=len(items)))) for _ in range(times))
    values = sorted(one for one in drawn if math.isfinite(one))
    if len(items) < 2 or not values:
        return None
    tail = int(0.025 * len(values))
    return value, min(value, values[tail]), max(value, values[-1 - tail])


def _recognised(answers: list[Answer]) -> list[Answer]:
    """The answers with each picture's label, as a classifier of real pictures sees it."""
    from bench.workloads.embedded import image_judge as eye

    drawn = [(request, output.image) for request, output in answers if output.image is not None]
    labels = eye.classify_images([image for _, image in drawn])
    return [
        (request, Output(image=image, label=label))
        for (request, image), label in zip(drawn, labels, strict=True)
    ]

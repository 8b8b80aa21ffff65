"""Comparison of two results: energy, quality and duration with intervals, and differences."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from bench.results import formatting, statistics, views
from bench.results.calibration import energy_ratio
from bench.results.fields import Setting
from bench.results.formatting import printable
from bench.results.record import Estimate, Result
from bench.runner.config import RunConfig
from bench.system import registry

Verdict = Literal["less", "more", "tie", "better", "worse"]

# Settings that a backend or the runner resolves, recorded with the options of a run.
RESOLVED_SETTINGS = ("device", "scheduler", "tokenizer")

# With fewer requests the 95 % interval of a difference of two shares of 90 % is wider than ±8 %.
MIN_QUALITY_REQUESTS = 100


@dataclass(frozen=True)
class Difference:
    """A setting or condition that differs, with its value on both sides."""

    name: str
    base: str
    other: str


@dataclass(frozen=True)
class ResultComparison:
    """`other` against `base`. A figure that cannot be compared is None; `why_not` has the reasons.

    `energy` and `duration` are ratios other / base, `quality` is the difference other - base in the
    metric's own unit; all with their 95 % interval. A verdict of "tie" means that the interval
    holds 1 (a ratio) or 0 (a difference): the two cannot be told apart. `same_sensors` states that
    one machine's sensors read both, so that their calibration uncertainty cancels.
    """

    base: Result
    other: Result
    energy: Estimate | None
    energy_verdict: Verdict | None
    duration: Estimate | None
    quality: Estimate | None
    quality_verdict: Verdict | None
    differences: tuple[Difference, ...]
    why_not: tuple[str, ...]
    same_sensors: bool

    @property
    def too_few_requests(self) -> bool:
        """Whether quality ties, and was evaluated on too few requests to judge it."""
        return is_undecided(self.quality)


def compare_results(base: Result, other: Result, one_machine: bool = False) -> ResultComparison:
    """Compare two results of one task; `one_machine` states that the same sensors read both.

    Results of one user on one machine are recognised by their `machine_id` and need no statement.
    The calibration uncertainty of both sensors enters, unless the same sensors read both; modelled
    energy is then a ratio of CPU time. Raises ValueError for results of two tasks.
    """
    if base.task.id != other.task.id:
        raise ValueError(
            f"{base.task.id} and {other.task.id} are two tasks: compare results of one task"
        )
    same = one_machine or has_same_sensors(base, other)
    energy, why_energy = _energy(base, other, same)
    quality, why_quality = quality_difference(base, other)
    lower_is_better = registry.quality_direction(base.task.id) == "lower"
    quality_words: tuple[Verdict, Verdict] = (
        ("better", "worse") if lower_is_better else ("worse", "better")
    )
    return ResultComparison(
        base=base,
        other=other,
        energy=energy,
        energy_verdict=_verdict(energy, 1.0, "less", "more"),
        duration=_duration(base, other),
        quality=quality,
        quality_verdict=_verdict(quality, 0.0, *quality_words),
        differences=tuple(differences(base, other)),
        why_not=tuple(why for why in (why_energy, why_quality) if why),
        same_sensors=same,
    )


def has_same_sensors(base: Result, other: Result) -> bool:
    """Whether one machine's sensors read the same domains, and the same cards, in both results."""
    if base.machine.machine_id is None or base.boundary != other.boundary:
        return False
    cards = [[(d.domain, d.card_id) for d in r.machine.used_gpus] for r in (base, other)]
    known = all(card for _, card in cards[0])
    return base.machine.machine_id == other.machine.machine_id and known and cards[0] == cards[1]


def is_undecided(quality: Estimate | None) -> bool:
    """Whether a difference in quality holds 0 in its interval and has too few requests to judge."""
    if quality is None or not quality.low <= 0 <= quality.high:
        return False
    return quality.sample_count < MIN_QUALITY_REQUESTS


def quality_difference(base: Result, other: Result) -> tuple[Estimate | None, str | None]:
    """The quality of `other` minus that of `base`, with its 95 % interval, or None and the reason.

    The two intervals are combined as for independent proportions (Newcombe 1998, method 10). Both
    sides serve the same requests, so the true interval is narrower, never wider.
    """
    first, second = base.quality, other.quality
    if first is None or second is None:
        return None, "quality is not known on both sides"
    if first.metric != second.metric:
        return None, f"quality is {first.metric} on one side and {second.metric} on the other"
    if base.task.dataset != other.task.dataset:
        return None, "quality was evaluated on two data sets"
    value = second.value - first.value
    return Estimate(
        value=value,
        low=value - math.hypot(second.value - second.low, first.high - first.value),
        high=value + math.hypot(second.high - second.value, first.value - first.low),
        confidence_level=statistics.CONFIDENCE,
        sample_count=min(first.sample_count, second.sample_count),
    ), None


def differences(base: Result, other: Result) -> Iterator[Difference]:
    """Everything that differs and that energy may depend on, the model itself included."""
    sides = [dict(_facts(result)) for result in (base, other)]
    for name in dict.fromkeys([*sides[0], *sides[1]]):
        first, second = (side.get(name, formatting.MISSING) for side in sides)
        if first != second:
            yield Difference(name, first, second)


def is_comparable(comparison: ResultComparison) -> bool:
    """Whether both sides did the same work inside the same boundary on the same kind of device."""
    differing = {difference.name for difference in comparison.differences}
    return not differing & {"data set", "work", "boundary", "devices", "energy is"}


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    model = result.model
    yield "model", printable(model.id)
    yield "weights", model.weights
    yield "data set", printable(result.task.dataset)
    yield "work", (result.task.fingerprint or formatting.MISSING)[:12]
    yield "precision", model.dtype or formatting.MISSING
    for name, value in result.task.parameters.items():
        yield name.replace("_", " "), _text(value)
    options = [(name, o.override or name) for name, o in RunConfig.options().items() if o.recorded]
    for name, label in [*options, *((name, name) for name in RESOLVED_SETTINGS)]:
        if model.settings.get(name) is not None:
            yield label.replace("_", " "), _text(model.settings[name])
    yield "engine", f"{result.backend.name} {result.backend.versions.get(result.backend.name, '')}"
    yield "torch", result.backend.versions.get("torch", formatting.MISSING)
    yield "boundary", views.boundary_label(result)
    yield "energy is", "modelled" if views.is_modelled(result) else "measured"
    yield "devices", ", ".join(printable(text) for text in views.device_labels(result))
    yield "profile", result.profile


def _text(value: Setting | None) -> str:
    return formatting.MISSING if value is None else printable(str(value))


def _energy(base: Result, other: Result, one_machine: bool) -> tuple[Estimate | None, str | None]:
    if views.is_modelled(base) != views.is_modelled(other):
        return None, "modelled energy is not compared with measured energy"
    first, second = views.headline_energy(base), views.headline_energy(other)
    if first is None or second is None or min(first.value, second.value) <= 0:
        return None, "energy is not known on both sides"
    if one_machine:
        runs = [statistics.between_runs(result.summary) for result in (base, other)]
        return statistics.ratio(second, first, math.hypot(*runs)), None
    return energy_ratio(other, base), None


def _duration(base: Result, other: Result) -> Estimate | None:
    if base.summary is None or other.summary is None:
        return None
    first = base.summary.duration_seconds_per_inference
    second = other.summary.duration_seconds_per_inference
    if first is None or second is None or min(first.value, second.value) <= 0:
        return None
    return statistics.ratio(second, first)


def _verdict(
    estimate: Estimate | None, neutral: float, below: Verdict, above: Verdict
) -> Verdict | None:
    if estimate is None:
        return None
    if estimate.high < neutral:
        return below
    return above if estimate.low > neutral else "tie"

"""Two results side by side: energy, quality and time, what differs, and whether it is real."""

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

# Settings that a backend or the runner resolves, recorded beside the options of a run.
RESOLVED_SETTINGS = ("device", "scheduler", "tokenizer")


@dataclass(frozen=True)
class Difference:
    """Something that is not the same on both sides, in words."""

    what: str
    base: str
    other: str


@dataclass(frozen=True)
class ResultComparison:
    """`other` against `base`. What can't be compared is None, and `why_not` says why.

    `energy` and `duration` are ratios other / base, `quality` is the difference other - base in the
    metric's own unit; all with their 95 % interval. A verdict of "tie" means that the interval
    holds 1 (a ratio) or 0 (a difference).
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


def compare_results(base: Result, other: Result, one_machine: bool = False) -> ResultComparison:
    """Compare two results of one task; `one_machine` says that both ran on the same machine.

    The scale error of the sensors enters for both sides, unless one card read both. On one machine
    it cancels too; what is modelled there is a ratio of CPU time. Raises ValueError for two tasks.
    """
    if base.task.id != other.task.id:
        raise ValueError(f"{base.task.id} and {other.task.id} are two tasks: compare within one")
    energy, why_energy = _energy(base, other, one_machine)
    better, why_quality = quality_difference(base, other)
    return ResultComparison(
        base=base,
        other=other,
        energy=energy,
        energy_verdict=None if energy is None else _verdict(energy, 1.0, "less", "more"),
        duration=_duration(base, other),
        quality=better,
        quality_verdict=None if better is None else _quality_verdict(better, base.task.id),
        differences=tuple(differences(base, other)),
        why_not=tuple(why for why in (why_energy, why_quality) if why),
    )


def quality_difference(base: Result, other: Result) -> tuple[Estimate | None, str | None]:
    """Quality of other less that of base, with its interval, or None and why.

    The two intervals are put together as Newcombe (1998, method 10) does for independent
    proportions; the requests are the same, so that the true interval is narrower, never wider.
    """
    mine, its = base.quality, other.quality
    if mine is None or its is None:
        return None, "quality is not known on both sides"
    if mine.metric != its.metric:
        return None, f"quality is {mine.metric} on one side and {its.metric} on the other"
    if base.task.dataset != other.task.dataset:
        return None, "quality was judged on two data sets"
    value = its.value - mine.value
    return Estimate(
        value=value,
        low=value - math.hypot(its.value - its.low, mine.high - mine.value),
        high=value + math.hypot(its.high - its.value, mine.value - mine.low),
        confidence_level=statistics.CONFIDENCE,
        sample_count=min(mine.sample_count, its.sample_count),
    ), None


def differences(base: Result, other: Result) -> Iterator[Difference]:
    """Everything that is not the same and that energy may depend on, the model itself included."""
    sides = [dict(_facts(result)) for result in (base, other)]
    for what in dict.fromkeys([*sides[0], *sides[1]]):
        mine, its = (side.get(what, formatting.MISSING) for side in sides)
        if mine != its:
            yield Difference(what, mine, its)


def is_comparable(comparison: ResultComparison) -> bool:
    """Whether both sides did the same work inside the same boundary on the same kind of device."""
    apart = {difference.what for difference in comparison.differences}
    return not apart & {"data set", "work", "boundary", "devices", "energy is"}


def _facts(result: Result) -> Iterator[tuple[str, str]]:
    model = result.model
    yield "model", printable(model.id)
    yield "weights", model.weights
    yield "data set", printable(result.task.dataset)
    yield "work", (result.task.fingerprint or formatting.MISSING)[:12]
    yield "precision", model.dtype or formatting.MISSING
    for name, value in result.task.parameters.items():
        yield name.replace("_", " "), _text(value)
    for name, label in _setting_labels().items():
        if model.settings.get(name) is not None:
            yield label, _text(model.settings[name])
    yield "engine", f"{result.backend.name} {result.backend.versions.get(result.backend.name, '')}"
    yield "torch", result.backend.versions.get("torch", formatting.MISSING)
    yield "boundary", views.boundary_label(result)
    yield "energy is", "modelled" if views.is_modelled(result) else "measured"
    yield "devices", ", ".join(printable(text) for text in views.device_labels(result))
    yield "profile", result.profile


def _setting_labels() -> dict[str, str]:
    """The settings of a record that are compared, with their labels."""
    options = {
        name: (option.override or name).replace("_", " ")
        for name, option in RunConfig.options().items()
        if option.recorded
    }
    return options | {name: name for name in RESOLVED_SETTINGS}


def _text(value: Setting | None) -> str:
    return formatting.MISSING if value is None else printable(str(value))


def _energy(base: Result, other: Result, one_machine: bool) -> tuple[Estimate | None, str | None]:
    if views.is_modelled(base) != views.is_modelled(other):
        return None, "modelled energy is not compared with measured energy"
    mine, its = views.headline_energy(base), views.headline_energy(other)
    if mine is None or its is None or min(mine.value, its.value) <= 0:
        return None, "energy is not known on both sides"
    if one_machine:
        return statistics.ratio(its, mine), None
    return energy_ratio(other, base), None


def _duration(base: Result, other: Result) -> Estimate | None:
    its, mine = (
        None if r.summary is None else r.summary.duration_seconds_per_inference
        for r in (other, base)
    )
    if its is None or mine is None or min(its.value, mine.value) <= 0:
        return None
    return statistics.ratio(its, mine)


def _verdict(of: Estimate, neutral: float, below: Verdict, above: Verdict) -> Verdict:
    if of.high < neutral:
        return below
    return above if of.low > neutral else "tie"


def _quality_verdict(of: Estimate, task_id: str) -> Verdict:
    if registry.quality_direction(task_id) == "lower":
        return _verdict(of, 0.0, "better", "worse")
    return _verdict(of, 0.0, "worse", "better")

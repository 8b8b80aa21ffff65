"""What can't be true of a result, whoever sends it: bounds that no honest run comes near."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf
from typing import Any

from bench import doubts, find
from bench.records import Reading, Result, Trial

MOST = 2**53
WATTS = (1e-3, 1e5)
SECONDS = (1e-6, 1e7)
HIGHEST_GAIN = 10.0


def impossibilities(result: Result) -> Iterator[str]:
    """A sentence for everything in a result that can't be true."""
    if any(abs(number) > MOST for number in _integers(result.model_dump())):
        yield "Impossible: a count beyond anything that can be counted."
    yield from _quality(result)
    if result.gain is not None and result.gain.relative_half_width > HIGHEST_GAIN:
        yield "Impossible: a scale error of more than ten times the figure."
    for device in result.machine.devices:
        if device.power_limit_watts is not None and not _within(device.power_limit_watts, WATTS):
            yield f"Impossible: a power limit of {device.power_limit_watts:g} W."
    for trial in result.measured():
        yield from _trial(result, trial)


def _quality(result: Result) -> Iterator[str]:
    """The bounds of a metric are known where the task is; of any other, that it has an interval."""
    quality = result.quality
    if quality is None:
        return
    least, most = -inf, inf
    if result.task.id in find.names("task"):
        metric = find.task(result.task.id).metric_of(result.task.dataset)
        least, most = find.module("metric", metric.room).RANGE
    if not least <= quality.low <= quality.value <= quality.high <= most:
        yield f"Impossible: quality outside its own interval, or outside {least:g} to {most:g}."


def _trial(result: Result, trial: Trial) -> Iterator[str]:
    if not _within(trial.duration_seconds, SECONDS):
        yield f"Impossible: trial {trial.index} took {trial.duration_seconds:g} s."
    for reading in trial.readings:
        named = f"trial {trial.index}, {reading.domain}"
        for item in reading.doubts:
            known = doubts.CATALOGUE.get(item.code)
            if known is not None and known.bars_ranking != item.bars_ranking:
                yield f"Impossible: {named}: the weight of the doubt {item.code} was changed."
        kind = "modelled" if reading.method == "modelled" else "measured"
        inside = reading.domain in result.boundary.domains
        if inside and kind != result.boundary.kind:
            yield f"Impossible: {named} is {kind}, and the boundary says {result.boundary.kind}."
        yield from _energy(reading, named, inside)


def _energy(reading: Reading, named: str, inside: bool) -> Iterator[str]:
    """A sensor of what was used can't read nothing; one of an idle device outside may."""
    joules, seconds = reading.energy_joules, reading.duration_seconds
    if joules is None:
        return
    if not _within(seconds, SECONDS):
        yield f"Impossible: {named}: energy in {seconds:g} s."
        return
    watts = joules / seconds
    if inside and reading.method != "modelled" and joules <= 0:
        yield f"Impossible: {named}: a measured energy of {joules:g} J."
    elif joules < 0 or (joules > 0 and not _within(watts, WATTS)):
        yield f"Impossible: {named}: a mean of {watts:g} W."


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _integers(value: Any) -> Iterator[int]:
    if isinstance(value, dict):
        for item in value.values():
            yield from _integers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _integers(item)
    elif isinstance(value, int):
        yield value

"""What cannot be true; what contradicts the rest of the record."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import fsum, inf

from bench.impact import facts, hardware
from bench.results import views, warning_catalogue
from bench.results.calibration import boundary_calibration
from bench.results.fields import Record
from bench.results.record import Reading, Result, Trial
from bench.runner import protocol
from bench.system.registry import known_metric, known_task

MOST = 2**53
WATTS = (1e-3, 1e5)
SECONDS = (1e-6, 1e7)
HIGHEST_CALIBRATION_HALF_WIDTH = 10.0
OPERATIONS_PER_PARAMETER = 2  # one multiplication and one addition for every token
WIDE = {"float32", "float16", "bfloat16"}
NARROW = 8  # no device's peak in four bits is above eight times that in sixteen

# A text in which every digit is 0, and a comma what a number may follow: whole numbers of sixteen
# digits and more are then found at the speed of a memory.
SHAPES = bytes.maketrans(b"0123456789:[ \t\n\r", b"0000000000,,,,,,")
LONG = b",0000000000000000"


def implausibilities(result: Result, content: bytes) -> Iterator[str]:
    """A sentence for everything in a result that can't be true; `content` is its text."""
    # Walking a record is slow: the search finds the few that may hold such a number.
    long = LONG in content.translate(SHAPES, b"-")
    if long and any(abs(number) > MOST for number in _integers(result)):
        yield "Impossible: a count beyond anything that can be counted."
    yield from _quality(result)
    if (
        result.calibration is not None
        and result.calibration.relative_half_width > HIGHEST_CALIBRATION_HALF_WIDTH
    ):
        yield "Impossible: a scale error of more than ten times the figure."
    for device in result.machine.devices:
        if device.power_limit_watts is not None and not _within(device.power_limit_watts, WATTS):
            yield f"Impossible: a power limit of {device.power_limit_watts:g} W."
    yield from _arithmetic(result)
    for trial in result.measured():
        yield from _trial(result, trial)


def _quality(result: Result) -> Iterator[str]:
    """The bounds of a metric are known where the task is; of any other, that it has an interval."""
    quality = result.quality
    if quality is None:
        return
    metric = known_metric(result.task.id, result.task.dataset)
    least, most = (-inf, inf) if metric is None else metric.RANGE
    if not least <= quality.low <= quality.value <= quality.high <= most:
        yield f"Impossible: quality outside its own interval, or outside {least:g} to {most:g}."


def _trial(result: Result, trial: Trial) -> Iterator[str]:
    if not _within(trial.duration_seconds, SECONDS):
        yield f"Impossible: trial {trial.index} took {trial.duration_seconds:g} s."
    for reading in trial.readings:
        named = f"trial {trial.index}, {reading.domain}"
        for item in reading.warnings:
            known = warning_catalogue.CATALOGUE.get(item.code)
            if known is not None and known.blocks_ranking != item.blocks_ranking:
                yield f"Impossible: {named}: the weight of the warning {item.code} was changed."
        kind = "modelled" if reading.method == "modelled" else "measured"
        inside = reading.domain in result.boundary.domains
        if inside and kind != result.boundary.kind:
            yield f"Impossible: {named} is {kind}, and the boundary says {result.boundary.kind}."
        limit = _limit(result, reading) if inside and kind == "measured" else inf
        yield from _energy(reading, named, inside, limit)


def _energy(reading: Reading, named: str, inside: bool, limit: float) -> Iterator[str]:
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
    elif watts > warning_catalogue.HIGHEST_POWER_RATIO * limit:
        yield f"Impossible: {named}: a mean of {watts:.0f} W, above 1.1 times {limit:.0f} W."


def _limit(result: Result, reading: Reading) -> float:
    """The power limit of the device behind a reading, in watts; infinite where there is none."""
    limits = (d.power_limit_watts for d in result.machine.devices if d.domain == reading.domain)
    return next((limit for limit in limits if limit is not None), inf)


def _arithmetic(result: Result) -> Iterator[str]:
    """Tokens cost two operations a parameter, and a device has a published peak of them.

    Of a mixture of experts its `active_parameter_count` is used. An unknown peak or an unknown
    count is not checked.
    """
    parameters = result.model.active_parameter_count or result.model.parameter_count
    peak = _peak(result)
    if peak is None or not parameters:
        return
    for trial in result.measured():
        work, seconds = trial.work, trial.duration_seconds
        tokens = (work.input_token_count or 0) + (work.output_token_count or 0)
        if seconds > 0 and OPERATIONS_PER_PARAMETER * parameters * tokens > peak * seconds:
            rate = OPERATIONS_PER_PARAMETER * parameters * tokens / seconds
            yield (
                f"Impossible: trial {trial.index}: {rate:.2g} operations a second, more than the "
                f"{peak:.2g} that the devices are said to reach."
            )


def _peak(result: Result) -> float | None:
    """Operations a second that the GPUs inside the boundary reach at most, or None if unknown."""
    gpus = result.machine.used_gpus
    peaks = [_board_peak(device.name) for device in gpus]
    known = [peak for peak in peaks if peak is not None]
    if not known or len(known) < len(peaks):
        return None
    return fsum(known) * 1e12 * (1 if result.model.dtype in WIDE else NARROW)


@lru_cache(maxsize=256)
def _board_peak(name: str) -> float | None:
    """The published peak of a board by the name that its driver gives it, in TFLOP/s."""
    try:
        board = hardware.find(name)
    except ValueError:
        return None
    fact = facts.gpu_peaks().get(board.key)
    return None if fact is None else fact.value


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _integers(value: object) -> Iterator[int]:
    """Every whole number in a record, however deep."""
    if isinstance(value, Record):
        value = value.__dict__
    if isinstance(value, dict):
        for item in value.values():
            if type(item) is not str:
                yield from _integers(item)
    elif isinstance(value, list | tuple):
        for item in value:
            if type(item) is not float:
                yield from _integers(item)
    elif isinstance(value, int):
        yield value


def contradictions(result: Result) -> Iterator[str]:
    """A sentence for everything that a record says of itself and that the rest of it denies."""
    if views.measurement_boundary(result.machine) != result.boundary:
        yield "Irreproducible: the boundary is not what the machine's devices and sensors give."
    if boundary_calibration(result.boundary, result.machine.sensors) != result.calibration:
        yield "Irreproducible: the scale error is not that of the sensors inside the boundary."
    if result.status == "done":
        yield from _stopping(result)
        if result.profile != "quick":
            yield from _rules(result)
    yield from _unit(result)


def _stopping(result: Result) -> Iterator[str]:
    count, rules = len(result.measured()), result.protocol
    if count < rules.min_trials:
        yield f"Irreproducible: the run ended after {count} trials, before {rules.min_trials}."
    elif result.stop_reason == "trials" and count < rules.max_trials:
        yield f"Irreproducible: {count} trials are not the {rules.max_trials} it says ended it."


def _rules(result: Result) -> Iterator[str]:
    """Every rule of the run that is weaker than its profile asks for on this machine."""
    rules = result.protocol
    least = protocol.run_protocol(protocol.Order(result.model, result.profile), result.machine)
    weaker = {
        "fewer trials": rules.min_trials < least.min_trials,
        "a wider target": rules.target_relative_half_width > least.target_relative_half_width,
        "a lower confidence level": rules.confidence_level < least.confidence_level,
        "shorter windows": rules.window_seconds < least.window_seconds,
        "fewer inferences in a block": rules.max_inferences != least.max_inferences,
    }
    for what, is_weaker in weaker.items():
        if is_weaker:
            yield f"Irreproducible: the rules allow {what} than a {result.profile} run does."


def _unit(result: Result) -> Iterator[str]:
    """A task that we don't have, or have in another version, may count as it likes."""
    stated = result.task
    known = known_task(stated.id)
    if known is not None and known.version == stated.version and known.unit != stated.unit:
        yield f"Irreproducible: {stated.id} counts in {known.unit}s, not in {stated.unit!r}."

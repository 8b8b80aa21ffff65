"""Values of a record that cannot be true, and statements that the rest of it contradicts."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import fsum, inf, isclose

from bench.impact import facts, hardware
from bench.results import views
from bench.results.analysis_versions import analysis_parameters
from bench.results.calibration import boundary_calibration
from bench.results.fields import Record
from bench.results.record import Reading, Result, Trial
from bench.results.warning_catalogue import catalogue
from bench.runner import protocol
from bench.system.registry import known_metric, known_task

# Integers above 2**53 are not exact as floating-point numbers, and no count comes near it.
MAX_INTEGER = 2**53

# Mean power of one domain in W and duration of one window in s: a milliwatt is below any sensor's
# resolution, 100 kW above any server; a microsecond below any window, 10**7 s are four months.
POWER_RANGE = (1e-3, 1e5)
DURATION_RANGE = (1e-6, 1e7)
HIGHEST_CALIBRATION_HALF_WIDTH = 10.0

# One multiplication and one addition for every parameter and token.
OPERATIONS_PER_PARAMETER = 2

# The peaks in the table are for 16 bits. No device's peak at 4 bits is above eight times that.
WIDE_TYPES = {"float32", "float16", "bfloat16"}
NARROW_FACTOR = 8

# The record's text with digits masked, used to find integers of 16 digits and more: a scan of the
# bytes is much faster than a visit of every field.
DIGIT_MASK = bytes.maketrans(b"0123456789:[ \t\n\r", b"0000000000,,,,,,")
LONG_INTEGER = b",0000000000000000"


def implausibilities(result: Result, content: bytes) -> Iterator[str]:
    """A sentence for every value of a result that cannot be true; `content` is its bytes."""
    # A visit of every field is slow: the scan finds the few records that need one.
    has_long_integer = LONG_INTEGER in content.translate(DIGIT_MASK, b"-")
    if has_long_integer and any(abs(number) > MAX_INTEGER for number in _integers(result)):
        yield "Impossible: an integer above 2**53."
    yield from _quality(result)
    if (
        result.calibration is not None
        and result.calibration.relative_half_width > HIGHEST_CALIBRATION_HALF_WIDTH
    ):
        yield "Impossible: a calibration uncertainty above ten times the figure."
    for device in result.machine.devices:
        if device.power_limit_watts is not None and not _within(
            device.power_limit_watts, POWER_RANGE
        ):
            yield f"Impossible: a power limit of {device.power_limit_watts:g} W."
    yield from _arithmetic(result)
    # Of two devices with one domain, the first limit counts.
    limits = {
        device.domain: device.power_limit_watts
        for device in reversed(result.machine.devices)
        if device.power_limit_watts is not None
    }
    for trial in result.measured():
        yield from _trial(result, trial, limits)


def _quality(result: Result) -> Iterator[str]:
    """A known metric has a range; any other quality only needs to lie in its interval."""
    quality = result.quality
    if quality is None:
        return
    metric = known_metric(result.task.id, result.task.dataset)
    least, most = (-inf, inf) if metric is None else metric.RANGE
    if not least <= quality.low <= quality.value <= quality.high <= most:
        yield f"Impossible: quality outside its own interval, or outside {least:g} to {most:g}."


def _trial(result: Result, trial: Trial, limits: dict[str, float]) -> Iterator[str]:
    """`limits` has the power limits of devices, in watts, by domain."""
    if not _within(trial.duration_seconds, DURATION_RANGE):
        yield f"Impossible: trial {trial.index} took {trial.duration_seconds:g} s."
    for reading in trial.readings:
        place = f"trial {trial.index}, {reading.domain}"
        for item in reading.warnings:
            known = catalogue().get(item.code)
            if known is not None and known.blocks_ranking != item.blocks_ranking:
                yield f"Impossible: {place}: the warning {item.code} has another `blocks_ranking`."
        kind = "modelled" if reading.method == "modelled" else "measured"
        inside = reading.domain in result.boundary.domains
        if inside and kind != result.boundary.kind:
            yield f"Impossible: {place} is {kind}, and the boundary is {result.boundary.kind}."
        limit = limits.get(reading.domain, inf) if inside and kind == "measured" else inf
        yield from _energy(reading, place, inside, limit)


def _energy(reading: Reading, place: str, inside: bool, limit: float) -> Iterator[str]:
    """A device inside the boundary cannot take 0 J; an unused one may."""
    joules, seconds = reading.energy_joules, reading.duration_seconds
    if joules is None:
        return
    if not _within(seconds, DURATION_RANGE):
        yield f"Impossible: {place}: energy in {seconds:g} s."
        return
    watts = joules / seconds
    if inside and reading.method != "modelled" and joules <= 0:
        yield f"Impossible: {place}: a measured energy of {joules:g} J."
    elif joules < 0 or (joules > 0 and not _within(watts, POWER_RANGE)):
        yield f"Impossible: {place}: a mean of {watts:g} W."
    elif watts > analysis_parameters().max_power_ratio * limit:
        yield f"Impossible: {place}: a mean of {watts:.0f} W, above 1.1 times {limit:.0f} W."


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
                f"devices' published peak of {peak:.2g}."
            )


def _peak(result: Result) -> float | None:
    """Operations a second that the GPUs inside the boundary reach at most, or None if unknown."""
    gpus = result.machine.used_gpus
    peaks = [_board_peak(device.name) for device in gpus]
    known = [peak for peak in peaks if peak is not None]
    if not known or len(known) < len(peaks):
        return None
    return fsum(known) * 1e12 * (1 if result.model.dtype in WIDE_TYPES else NARROW_FACTOR)


@lru_cache(maxsize=256)
def _board_peak(name: str) -> float | None:
    """The published peak of a board by the name that its driver gives it, in TFLOP/s."""
    try:
        board = hardware.find(name)
    except ValueError:
        return None
    fact = facts.table("gpu_peak").get(board.key)
    return None if fact is None else fact.value


def _within(value: float, bounds: tuple[float, float]) -> bool:
    return bounds[0] <= value <= bounds[1]


def _integers(value: object) -> Iterator[int]:
    """Every integer in a record, at any depth."""
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
    """A sentence for every statement of a record that the rest of it contradicts."""
    if views.measurement_boundary(result.machine) != result.boundary:
        yield "Irreproducible: the boundary is not what the machine's devices and sensors give."
    if not _same_calibration(result):
        yield (
            "Irreproducible: the calibration uncertainty is not that of the sensors inside the "
            "boundary."
        )
    if result.status == "done":
        yield from _stopping(result)
        if result.profile != "quick":
            yield from _rules(result)
    yield from _unit(result)


def _same_calibration(result: Result) -> bool:
    """Whether the half-width is that of the sensors; the wording of the source may differ."""
    stated = result.calibration
    derived = boundary_calibration(result.boundary, result.machine.sensors)
    if stated is None or derived is None:
        return stated is derived
    return isclose(stated.relative_half_width, derived.relative_half_width, rel_tol=1e-9)


def _stopping(result: Result) -> Iterator[str]:
    count, rules = len(result.measured()), result.protocol
    if count < rules.min_trials:
        yield f"Irreproducible: the run ended after {count} trials, before {rules.min_trials}."
    elif result.stop_reason == "trials" and count < rules.max_trials:
        yield f"Irreproducible: {count} trials are not the {rules.max_trials} of its stop reason."


def _rules(result: Result) -> Iterator[str]:
    """Every rule of the protocol that is weaker than its profile requires on this machine."""
    rules = result.protocol
    version = result.analysis_version
    least = protocol.run_protocol(result.profile, result.machine, analysis_version=version)
    seconds = [trial.duration_seconds for trial in result.measured()]
    long_blocks = rules.blocks_per_trial == 1 and min(seconds, default=0.0) >= rules.window_seconds
    min_long_trials = analysis_parameters(version).min_long_trials
    weaker = {
        "fewer trials": rules.min_trials < (min_long_trials if long_blocks else least.min_trials),
        "a wider target": rules.target_relative_half_width > least.target_relative_half_width,
        "a lower confidence level": rules.confidence_level < least.confidence_level,
        "shorter windows": rules.window_seconds < least.window_seconds,
        "fewer inferences in a block": rules.max_inferences != least.max_inferences,
    }
    for difference, is_weaker in weaker.items():
        if is_weaker:
            yield f"Irreproducible: the rules allow {difference} than a {result.profile} run does."


def _unit(result: Result) -> Iterator[str]:
    """The unit of a known task must be that of its version; other tasks are not checked."""
    stated = result.task
    known = known_task(stated.id)
    if known is not None and known.version == stated.version and known.unit != stated.unit:
        yield f"Irreproducible: {stated.id} counts {known.unit}s, not {stated.unit!r}."

"""Record -> its warnings; rankable or not, and why not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from bench.results import statistics
from bench.results.machine_record import Device
from bench.results.record import MeasurementWarning, Result, Trial
from bench.results.throttling import HARDWARE_REASONS, ThrottleReason, clock_settings_label
from bench.results.views import headline_energy
from bench.results.warning_catalogue import (
    HIGHEST_POWER_RATIO,
    make_warning,
    missing_energy_warning,
)

LOWEST_POWER_RATIO = 0.5
TEMPERATURE_DRIFT_CELSIUS = 5.0
BUSY_FRACTION = 0.1
CORRELATED = 0.5


def derive_warnings(result: Result) -> tuple[MeasurementWarning, ...]:
    """Every warning that the record gives rise to, each once, those that bar ranking first.

    A pure function of the record, so that a reader can raise them again and compare.
    """
    found = [*_about_run(result), *_about_sensors(result), *_about_devices(result)]
    # Trials that differ in a figure alone raise the same warning; the first stands for all.
    unique = {(item.code, _shape(item.message)): item for item in reversed(found)}
    return tuple(sorted(unique.values(), key=lambda item: not item.blocks_ranking))


def _shape(message: str) -> str:
    """A message without its figures, but with the numbers that are part of a domain's name."""
    return re.sub(r"(?<![:\w])\d[\d.,]*", "#", message)


def is_rankable(result: Result, raised: tuple[MeasurementWarning, ...] | None = None) -> bool:
    """Whether a result may stand in a ranked group; `raised` are its warnings, if they are known."""
    return (
        result.status == "done"
        and result.summary is not None
        and result.summary.energy_kwh_per_1000 is not None
        and result.boundary.kind == "measured"
        and not any(
            i.blocks_ranking for i in (derive_warnings(result) if raised is None else raised)
        )
    )


def _about_run(result: Result) -> Iterator[MeasurementWarning]:
    measured = result.measured()
    if result.status == "interrupted":
        yield make_warning("interrupted")
    if result.profile == "quick":
        yield make_warning("quick-run")
    if result.model.weights == "random":
        yield make_warning("random-weights")
    if result.status != "failed" and len(measured) < result.protocol.min_trials:
        yield make_warning("too-few-trials", count=len(measured), least=result.protocol.min_trials)
    failures = sum(trial.work.failure_count for trial in measured)
    if failures:
        yield make_warning("requests-failed", count=failures)
    if result.status == "done" and result.quality is None:
        yield make_warning("quality-missing")
    refused = result.model.settings.get("refusal_count")
    if isinstance(refused, int) and refused > 0:
        yield make_warning("answers-refused", count=refused)
    yield from _about_interval(result, measured)


def _about_interval(result: Result, measured: tuple[Trial, ...]) -> Iterator[MeasurementWarning]:
    summary = result.summary
    if summary is None or result.profile == "quick":
        return
    width = statistics.relative_half_width(summary.energy_kwh_per_1000)
    target = result.protocol.target_relative_half_width
    if width is not None and width > target:
        yield make_warning("interval-target-missed", got=100 * width, target=100 * target)
    energy = [statistics.energy_joules(trial, result.boundary.domains) for trial in measured]
    known = [value for value in energy if value is not None]
    if len(known) == len(energy) >= 3 and statistics.lag1_correlation(known) >= CORRELATED:
        yield make_warning("trials-correlated", r=statistics.lag1_correlation(known))
    if not statistics.is_steady(result.trials, result.boundary.domains):
        yield make_warning("not-steady")
    if summary.energy_kwh_per_1000 is not None and summary.net_energy_kwh_per_1000 is None:
        yield make_warning("idle-missing")


def _about_sensors(result: Result) -> Iterator[MeasurementWarning]:
    if result.boundary.kind == "modelled" and result.calibration is not None:
        yield make_warning("energy-modelled", percent=100 * result.calibration.relative_half_width)
    read = {r.domain for trial in result.measured() for r in trial.readings}
    for domain in result.boundary.domains if result.measured() else ():
        if domain not in read:
            yield missing_energy_warning(domain, result.machine.sensors)
    for trial in result.measured():
        for reading in trial.readings:
            if reading.domain in result.boundary.domains:
                yield from reading.warnings


def _about_devices(result: Result) -> Iterator[MeasurementWarning]:
    for device in result.machine.devices:
        if device.domain in result.boundary.domains:
            yield from _about_power(result, device)
    yield from _about_conditions(result)


def _about_power(result: Result, device: Device) -> Iterator[MeasurementWarning]:
    limit, default = device.power_limit_watts, device.default_power_limit_watts
    if limit is not None and default is not None and abs(limit - default) > 0.5:
        yield make_warning(
            "power-limit-changed", domain=device.domain, limit=limit, default=default
        )
    if device.mig_enabled:
        yield make_warning("mig-whole-gpu", domain=device.domain)
    floor = statistics.idle_watts(result.idle, device.domain)
    powers = _sensed_watts(result, device.domain)
    if powers and limit is not None and max(powers) > HIGHEST_POWER_RATIO * limit:
        most = max(powers)
        yield make_warning("power-implausible-high", domain=device.domain, watts=most, limit=limit)
    if powers and floor is not None and min(powers) < LOWEST_POWER_RATIO * floor[0]:
        least = min(powers)
        yield make_warning(
            "power-implausible-low", domain=device.domain, watts=least, idle=floor[0]
        )


def _sensed_watts(result: Result, domain: str) -> list[float]:
    """Mean power of a domain in each measured trial that a sensor read, in watts."""
    return [
        reading.energy_joules / reading.duration_seconds
        for trial in result.measured()
        for reading in trial.readings
        if reading.domain == domain
        and reading.method != "modelled"
        and reading.energy_joules is not None
        and reading.duration_seconds > 0
    ]


def _about_conditions(result: Result) -> Iterator[MeasurementWarning]:
    trials = result.measured()
    seen = [condition for trial in trials for condition in trial.device_states]
    for domain in sorted({condition.domain for condition in seen}):
        mine = [condition for condition in seen if condition.domain == domain]
        foreign = max((c.foreign_process_count or 0 for c in mine), default=0)
        if foreign:
            yield make_warning("foreign-process", domain=domain, count=foreign)
        reasons = sorted({reason for c in mine for reason in c.throttle_reasons})
        hardware = [reason for reason in reasons if reason in HARDWARE_REASONS]
        if hardware:
            yield make_warning("throttled-hardware", domain=domain, reasons=", ".join(hardware))
        if ThrottleReason.sw_thermal_slowdown in reasons:
            yield make_warning("throttled-software", domain=domain)
        settings = clock_settings_label(reasons)
        if settings:
            yield make_warning("clocks-not-default", domain=domain, settings=settings)
        if ThrottleReason.sw_power_cap in reasons:
            yield make_warning("throttled-power-cap", domain=domain)
        warm = [c.temperature_celsius for c in mine if c.temperature_celsius is not None]
        if warm and abs(warm[-1] - warm[0]) > TEMPERATURE_DRIFT_CELSIUS:
            yield make_warning("temperature-drift", domain=domain, kelvin=abs(warm[-1] - warm[0]))
    loads = [c.other_load_fraction for c in seen if c.other_load_fraction is not None]
    if loads and max(loads) > BUSY_FRACTION:
        yield make_warning("machine-busy", percent=100 * max(loads))


NO_RANK_REMEDIES = {
    "failed": "The failure is the result. Run again if its reason can be mended.",
    "energy-absent": "See `joulebench doctor` for what this machine can measure.",
    "no-fingerprint": "Run a task that this version knows, on a data set that it can read.",
    "unfinished": "Run again, and let it finish.",
}


def rank_blockers(
    result: Result, raised: Iterable[MeasurementWarning]
) -> tuple[MeasurementWarning, ...]:
    """Why a result has no rank, with remedies; empty if it ranks. `raised` are its warnings."""
    if result.failure is not None:
        message = f"Failed at {result.failure.stage}: {result.failure.message}"
        return (_no_rank("failed", message),)
    reasons = [item for item in raised if item.blocks_ranking]
    if result.boundary.kind == "modelled" and not reasons:
        reasons.append(_no_rank("energy-absent", "The energy is modelled, not measured."))
    found = headline_energy(result)
    if found is None or found.value <= 0:
        reasons.append(_no_rank("energy-absent", "There is no energy to rank by."))
    if result.task.fingerprint is None:
        message = "The workload has no fingerprint, so its equals can't be told."
        reasons.append(_no_rank("no-fingerprint", message))
    if not reasons and result.status != "done":
        reasons.append(_no_rank("unfinished", "The run did not finish."))
    return tuple({reason.message: reason for reason in reasons}.values())


def _no_rank(code: str, message: str) -> MeasurementWarning:
    return MeasurementWarning(
        code=code, message=message, remedy=NO_RANK_REMEDIES[code], blocks_ranking=True
    )

"""The warnings of a record, and whether and why it cannot be ranked."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence

from bench.results import correlated_mean, idle_floor, statistics, steadiness
from bench.results.analysis_versions import AnalysisParameters, analysis_parameters
from bench.results.domains import DomainKind, kind_of
from bench.results.machine_record import Device, DeviceState
from bench.results.record import MeasurementWarning, Result, Summary
from bench.results.throttling import HARDWARE_REASONS, ThrottleReason, clock_settings_label
from bench.results.views import headline_energy
from bench.results.warning_catalogue import make_warning, missing_energy_warning

Warnings = Iterator[MeasurementWarning]
# Domains whose energy the other programs of a machine share.
CPU_KINDS = {DomainKind.cpu_package, DomainKind.cpu_time, DomainKind.dram, DomainKind.wall}


def derive_warnings(result: Result) -> tuple[MeasurementWarning, ...]:
    """Every warning of a record, each once, those that block ranking first.

    A pure function of the record, so that a reader can derive them again and compare. It uses the
    thresholds of the analysis version that the record states, which rises as `analysis_versions`
    says. Raises ValueError where that version is not known.
    """
    parameters = analysis_parameters(result.analysis_version)
    warnings = [
        *_run_warnings(result, parameters),
        *_sensor_warnings(result),
        *_device_warnings(result, parameters),
    ]
    # Of warnings that differ in their figures alone, one per trial, the first is kept.
    unique = {(item.code, _without_figures(item.message)): item for item in reversed(warnings)}
    return tuple(sorted(unique.values(), key=lambda item: not item.blocks_ranking))


def is_rankable(result: Result, warnings: Iterable[MeasurementWarning]) -> bool:
    """Whether a result can be ranked; `warnings` are those of the record."""
    return (
        result.status == "done"
        and result.summary is not None
        and result.summary.energy_kwh_per_1000 is not None
        and result.boundary.kind == "measured"
        and not any(item.blocks_ranking for item in warnings)
    )


def rank_blockers(
    result: Result, warnings: Iterable[MeasurementWarning]
) -> tuple[MeasurementWarning, ...]:
    """Why a result has no rank, with remedies; empty if it has one. `warnings` are its warnings."""
    failure = result.failure
    if failure is not None:
        return (make_warning("failed", stage=failure.stage, message=failure.message),)
    blockers = [item for item in warnings if item.blocks_ranking]
    if result.boundary.kind == "modelled" and not blockers:
        blockers.append(
            make_warning("energy-absent", reason="The energy is modelled, not measured.")
        )
    energy = headline_energy(result)
    if energy is None or energy.value <= 0:
        blockers.append(make_warning("energy-absent", reason="There is no energy to rank by."))
    if result.task.fingerprint is None:
        blockers.append(make_warning("no-fingerprint"))
    if not blockers and result.status != "done":
        blockers.append(make_warning("unfinished"))
    return tuple({blocker.message: blocker for blocker in blockers}.values())


def _without_figures(message: str) -> str:
    """A message without its figures; numbers in the name of a domain stay."""
    return re.sub(r"(?<![:\w])\d[\d.,]*", "#", message)


def _run_warnings(result: Result, parameters: AnalysisParameters) -> Warnings:
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
    refusals = result.model.settings.get("refusal_count")
    if isinstance(refusals, int) and refusals > 0:
        yield make_warning("answers-refused", count=refusals)
    yield from _interval_warnings(result, parameters)


def _interval_warnings(result: Result, parameters: AnalysisParameters) -> Warnings:
    summary = result.summary
    if summary is None:
        return
    if result.profile != "quick" or parameters.marginal_correlation:
        yield from _net_warnings(result, summary, parameters)
    if result.profile == "quick":
        return
    width = statistics.relative_half_width(summary.energy_kwh_per_1000)
    target = result.protocol.target_relative_half_width
    if width is not None and width > target:
        yield make_warning("interval-target-missed", got=100 * width, target=100 * target)
    if parameters.marginal_correlation and width is not None and width > parameters.max_half_width:
        yield make_warning("energy-unresolved", factor=math.exp(width))
    domains = result.boundary.domains
    energies = [statistics.energy_joules(trial, domains) for trial in result.measured()]
    known = [value for value in energies if value is not None]
    if len(known) == len(energies) >= 3:
        r = correlated_mean.lag1_correlation(known, parameters)
        if r >= parameters.correlation_threshold:
            yield make_warning("trials-correlated", r=r)
    if not steadiness.is_steady(result.trials, domains, parameters):
        yield make_warning("not-steady")


def _net_warnings(result: Result, summary: Summary, parameters: AnalysisParameters) -> Warnings:
    if summary.energy_kwh_per_1000 is None or summary.net_energy_kwh_per_1000 is not None:
        return
    if parameters.marginal_correlation and result.boundary.kind == "modelled":
        return
    net = statistics.net_energy(
        result.trials, result.boundary, result.idle, result.analysis_version
    )
    if net is None:
        yield make_warning("idle-missing")
    else:
        yield make_warning("net-energy-unresolved", wh=1000 * max(0.0, net.high))


def _sensor_warnings(result: Result) -> Warnings:
    if result.boundary.kind == "modelled" and result.calibration is not None:
        yield make_warning("energy-modelled", percent=100 * result.calibration.relative_half_width)
    readings = [reading for trial in result.measured() for reading in trial.readings]
    domains = {reading.domain for reading in readings}
    for domain in result.boundary.domains if result.measured() else ():
        if domain not in domains:
            yield missing_energy_warning(domain, result.machine.sensors)
    for reading in readings:
        if reading.domain in result.boundary.domains:
            yield from reading.warnings


def _device_warnings(result: Result, parameters: AnalysisParameters) -> Warnings:
    for device in result.machine.devices:
        if device.domain in result.boundary.domains:
            yield from _power_warnings(result, device, parameters)
    states = [state for trial in result.measured() for state in trial.device_states]
    for domain in sorted({state.domain for state in states}):
        of_domain = [state for state in states if state.domain == domain]
        yield from _state_warnings(domain, of_domain, parameters)
    loads = [s.other_load_fraction for s in states if s.other_load_fraction is not None]
    if loads and max(loads) > parameters.busy_cpu_fraction:
        kinds = {kind_of(domain) for domain in result.boundary.domains}
        shared = result.analysis_version >= 2 and kinds & CPU_KINDS
        yield make_warning("cpu-shared" if shared else "machine-busy", percent=100 * max(loads))


def _power_warnings(result: Result, device: Device, parameters: AnalysisParameters) -> Warnings:
    domain = device.domain
    limit, default = device.power_limit_watts, device.default_power_limit_watts
    difference = 0.0 if limit is None or default is None else abs(limit - default)
    if difference > parameters.power_limit_tolerance_watts:
        yield make_warning("power-limit-changed", domain=domain, limit=limit, default=default)
    if device.mig_enabled:
        yield make_warning("mig-whole-gpu", domain=domain)
    floor = idle_floor.idle_watts(result.idle, domain, parameters)
    powers = _measured_watts(result, domain)
    if powers and limit is not None and max(powers) > parameters.max_power_ratio * limit:
        yield make_warning("power-implausible-high", domain=domain, watts=max(powers), limit=limit)
    if powers and floor is not None and min(powers) < parameters.min_power_ratio * floor[0]:
        yield make_warning("power-implausible-low", domain=domain, watts=min(powers), idle=floor[0])


def _measured_watts(result: Result, domain: str) -> list[float]:
    """Mean power of a domain, in watts, in each measured trial in which a sensor read it."""
    return [
        reading.energy_joules / reading.duration_seconds
        for trial in result.measured()
        for reading in trial.readings
        if reading.domain == domain
        and reading.method != "modelled"
        and reading.energy_joules is not None
        and reading.duration_seconds > 0
    ]


def _state_warnings(
    domain: str, states: Sequence[DeviceState], parameters: AnalysisParameters
) -> Warnings:
    """The warnings from the states of one device after each measured trial."""
    foreign = max((state.foreign_process_count or 0 for state in states), default=0)
    if foreign:
        yield make_warning("foreign-process", domain=domain, count=foreign)
    reasons = sorted({reason for state in states for reason in state.throttle_reasons})
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
    celsius = [s.temperature_celsius for s in states if s.temperature_celsius is not None]
    drift = abs(celsius[-1] - celsius[0]) if celsius else 0.0
    if drift > parameters.temperature_drift_celsius:
        yield make_warning("temperature-drift", domain=domain, kelvin=drift)

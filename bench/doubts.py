"""Every warning there is, each with its cure, and whether it bars a result from ranking."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bench import stats
from bench.records import Device, Doubt, Result, Sensor, Trial

HIGHEST_POWER_RATIO = 1.1
LOWEST_POWER_RATIO = 0.5
TEMPERATURE_DRIFT_CELSIUS = 5.0
BUSY_FRACTION = 0.1
CORRELATED = 0.5


@dataclass(frozen=True)
class Kind:
    """A kind of doubt: the words, the cure, and whether it bars ranking."""

    message: str
    cure: str
    bars_ranking: bool = True


CATALOGUE: dict[str, Kind] = {
    # The sensor
    "energy-modelled": Kind(
        "No energy sensor could be read: the energy is modelled from CPU time, "
        "and may be off by {percent:.0f} % either way.",
        "Run on a machine with an NVIDIA GPU, or give read access to the CPU's energy counter; "
        "`joulebench doctor` says how.",
    ),
    "energy-replayed": Kind(
        "The energy comes from a recorded or made trace, not from this machine.",
        "Leave --meter out to measure.",
    ),
    "energy-missing": Kind(
        "The energy of {domain} could not be read: {reason}.",
        "See `joulebench doctor` for this sensor, then run again.",
    ),
    "counter-reset": Kind(
        "The energy counter of {domain} went backwards during a window.",
        "Run again; if it comes back, the driver or another tool resets the counter.",
    ),
    "read-failed": Kind(
        "Reading {domain} failed: {reason}.",
        "Check the driver with `nvidia-smi` and run again.",
    ),
    "window-short": Kind(
        "The window held {steps:.0f} steps of the sensor, fewer than 20.",
        "Give a larger --budget, so that a window can be longer.",
    ),
    "power-implausible-high": Kind(
        "Mean power of {domain} was {watts:.0f} W, above 1.1 times its limit of {limit:.0f} W.",
        "The sensor or its scale is wrong: update the driver and run again.",
    ),
    "power-implausible-low": Kind(
        "Mean power of {domain} under load was {watts:.1f} W, below half of its idle {idle:.1f} W.",
        "Something else loaded the device while it should have been idle: run on a quiet one.",
    ),
    "counter-wrap-risk": Kind(
        "The energy counter of {domain} may have passed its end more than once in a window.",
        "Give a smaller --budget, so that windows are shorter.",
    ),
    "power-averaged": Kind(
        "{domain} has no energy counter and no instant power: its power is an average over up to "
        "a second.",
        "Update the driver; until then, give a larger --budget, so that a window can be longer.",
        bars_ranking=False,
    ),
    "aliasing-risk": Kind(
        "{domain} has no energy counter, and its power sensor may look only part of the time.",
        "Nothing to mend on this card: the interval allows for it.",
        bars_ranking=False,
    ),
    # The device
    "foreign-process": Kind(
        "{count} other process(es) used {domain} during the run.",
        "Stop what else runs on this device, or choose another with --device.",
    ),
    "throttled-hardware": Kind(
        "{domain} was slowed by its hardware ({reasons}).",
        "Improve cooling or power delivery, then run again.",
    ),
    "throttled-software": Kind(
        "{domain} was slowed by its driver because of heat.",
        "Improve cooling, then run again.",
    ),
    "throttled-power-cap": Kind(
        "{domain} was held at its power limit.",
        "Nothing to mend: the figure is that of this limit.",
        bars_ranking=False,
    ),
    "temperature-drift": Kind(
        "{domain} warmed or cooled by {kelvin:.0f} °C between the first trial and the last.",
        "Give a larger --budget, so that warm-up reaches a steady temperature.",
        bars_ranking=False,
    ),
    "power-limit-changed": Kind(
        "{domain} runs at {limit:.0f} W, not at its default limit of {default:.0f} W.",
        "Compare only with results at the same limit.",
        bars_ranking=False,
    ),
    "mig-whole-gpu": Kind(
        "{domain} is split with MIG, and its sensor reads the whole card.",
        "Turn MIG off (`sudo nvidia-smi -mig 0`), or take the figure of the whole card with "
        "--meter-option nvml_mig=whole.",
    ),
    "module-scope": Kind(
        "The energy counter of {domain} covers its whole module: the CPU and its memory too.",
        "Nothing to mend on this machine: compare only with results of the same module.",
        bars_ranking=False,
    ),
    "clocks-not-default": Kind(
        "The clocks of {domain} are not at their default ({settings}).",
        "Reset them with `sudo nvidia-smi -rac` and `sudo nvidia-smi -rgc`, or compare only with "
        "results at the same clocks.",
        bars_ranking=False,
    ),
    # The run
    "requests-failed": Kind(
        "{count} request(s) failed in the measured trials.",
        "See what the model answered, and run again.",
    ),
    "interval-target-missed": Kind(
        "The 95 % interval is ±{got:.1f} %, wider than the target of ±{target:.1f} %.",
        "Give a larger --budget or a quieter machine.",
        bars_ranking=False,
    ),
    "not-steady": Kind(
        "Warm-up ended before time and power were steady.",
        "Give a larger --budget.",
        bars_ranking=False,
    ),
    "trials-correlated": Kind(
        "The trials follow each other (lag-1 correlation {r:.2f}); the interval was widened.",
        "Let the machine settle, and look for a load that comes and goes.",
        bars_ranking=False,
    ),
    "quick-run": Kind(
        "This was a quick run: too short for a figure that others can rely on.",
        "Run again without --quick and --max-inferences.",
    ),
    "random-weights": Kind(
        "The weights are random: the energy is that of the architecture, the answers mean nothing.",
        "Run with --weights pretrained for a result that ranks.",
    ),
    "interrupted": Kind(
        "The run was interrupted; only the finished trials are here.",
        "Run again.",
    ),
    "too-few-trials": Kind(
        "Only {count} trial(s) were measured, fewer than {least}: there is no interval.",
        "Run again with a larger --budget.",
    ),
    "quality-missing": Kind(
        "Quality could not be judged.",
        "Choose a data set with reference answers, and have the libraries that judge them: "
        "pip install 'joulebench[quality]'.",
        bars_ranking=False,
    ),
    "answers-refused": Kind(
        "{count} request(s) were answered in words that name no label, or several.",
        "They count as wrong: compare their number before comparing the quality.",
        bars_ranking=False,
    ),
    "idle-missing": Kind(
        "The idle floor could not be read, so there is no net energy.",
        "See `joulebench doctor`.",
        bars_ranking=False,
    ),
    "machine-busy": Kind(
        "Other programs took up to {percent:.0f} % of the CPU during a measured trial.",
        "Stop what else runs on this machine, and run again.",
        bars_ranking=False,
    ),
}


def doubt(code: str, **figures: object) -> Doubt:
    """The doubt of this code with its figures filled in."""
    kind = CATALOGUE[code]
    return Doubt(
        code=code,
        message=kind.message.format(**figures),
        cure=kind.cure,
        bars_ranking=kind.bars_ranking,
    )


def unread(domain: str, sensors: Iterable[Sensor]) -> Doubt:
    """The doubt for a domain that no meter covers, with what the meters said of themselves."""
    said = [f"{s.meter}: {s.reason}" for s in sensors if not s.usable and s.reason]
    return doubt("energy-missing", domain=domain, reason="; ".join(said) or "no meter covers it")


def raise_all(result: Result) -> tuple[Doubt, ...]:
    """Every doubt that the record gives rise to, each once, those that bar ranking first.

    A pure function of the record, so that a reader can raise them again and compare.
    """
    found = [*_about_run(result), *_about_sensors(result), *_about_devices(result)]
    # Trials that differ in a figure alone raise the same doubt; the first stands for all.
    unique = {(item.code, _shape(item.message)): item for item in reversed(found)}
    return tuple(sorted(unique.values(), key=lambda item: not item.bars_ranking))


def clock_settings(reasons: Iterable[str]) -> str:
    """What was set about the clocks, of all the reasons that hold them, in words; or nothing."""
    words = {"application_clocks": "application clocks", "locked_clocks": "locked clocks"}
    return ", ".join(words[reason] for reason in reasons if reason in words)


def _shape(message: str) -> str:
    """A message without its figures, but with the numbers that are part of a domain's name."""
    return re.sub(r"(?<![:\w])\d[\d.,]*", "#", message)


def rankable(result: Result, raised: tuple[Doubt, ...] | None = None) -> bool:
    """Whether a result may stand in a ranked group; `raised` are its doubts, if they are known."""
    return (
        result.status == "done"
        and result.summary is not None
        and result.summary.energy_kwh_per_1000 is not None
        and result.boundary.kind == "measured"
        and not any(i.bars_ranking for i in (raise_all(result) if raised is None else raised))
    )


def _about_run(result: Result) -> Iterator[Doubt]:
    measured = result.measured()
    if result.status == "interrupted":
        yield doubt("interrupted")
    if result.profile == "quick":
        yield doubt("quick-run")
    if result.model.weights == "random":
        yield doubt("random-weights")
    if result.status != "failed" and len(measured) < result.protocol.min_trials:
        yield doubt("too-few-trials", count=len(measured), least=result.protocol.min_trials)
    failures = sum(trial.work.failure_count for trial in measured)
    if failures:
        yield doubt("requests-failed", count=failures)
    if result.status == "done" and result.quality is None:
        yield doubt("quality-missing")
    refused = result.model.settings.get("refusal_count")
    if isinstance(refused, int) and refused > 0:
        yield doubt("answers-refused", count=refused)
    yield from _about_interval(result, measured)


def _about_interval(result: Result, measured: tuple[Trial, ...]) -> Iterator[Doubt]:
    summary = result.summary
    if summary is None or result.profile == "quick":
        return
    width = stats.relative_half_width(summary.energy_kwh_per_1000)
    target = result.protocol.target_relative_half_width
    if width is not None and width > target:
        yield doubt("interval-target-missed", got=100 * width, target=100 * target)
    energy = [stats.energy_joules(trial, result.boundary.domains) for trial in measured]
    known = [value for value in energy if value is not None]
    if len(known) == len(energy) >= 3 and stats.correlation(known) >= CORRELATED:
        yield doubt("trials-correlated", r=stats.correlation(known))
    if not stats.warm(result.trials, result.boundary.domains):
        yield doubt("not-steady")
    if summary.energy_kwh_per_1000 is not None and summary.net_energy_kwh_per_1000 is None:
        yield doubt("idle-missing")


def _about_sensors(result: Result) -> Iterator[Doubt]:
    if result.boundary.kind == "modelled" and result.gain is not None:
        yield doubt("energy-modelled", percent=100 * result.gain.relative_half_width)
    read = {r.domain for trial in result.measured() for r in trial.readings}
    for domain in result.boundary.domains if result.measured() else ():
        if domain not in read:
            yield unread(domain, result.machine.sensors)
    for trial in result.measured():
        for reading in trial.readings:
            if reading.domain in result.boundary.domains:
                yield from reading.doubts


def _about_devices(result: Result) -> Iterator[Doubt]:
    for device in result.machine.devices:
        if device.domain in result.boundary.domains:
            yield from _about_power(result, device)
    yield from _about_conditions(result)


def _about_power(result: Result, device: Device) -> Iterator[Doubt]:
    limit, default = device.power_limit_watts, device.default_power_limit_watts
    if limit is not None and default is not None and abs(limit - default) > 0.5:
        yield doubt("power-limit-changed", domain=device.domain, limit=limit, default=default)
    if device.mig_enabled:
        yield doubt("mig-whole-gpu", domain=device.domain)
    floor = stats.idle_watts(result.idle, device.domain)
    powers = _sensed_watts(result, device.domain)
    if powers and limit is not None and max(powers) > HIGHEST_POWER_RATIO * limit:
        most = max(powers)
        yield doubt("power-implausible-high", domain=device.domain, watts=most, limit=limit)
    if powers and floor is not None and min(powers) < LOWEST_POWER_RATIO * floor[0]:
        least = min(powers)
        yield doubt("power-implausible-low", domain=device.domain, watts=least, idle=floor[0])


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


def _about_conditions(result: Result) -> Iterator[Doubt]:
    trials = result.measured()
    seen = [condition for trial in trials for condition in trial.conditions]
    for domain in sorted({condition.domain for condition in seen}):
        mine = [condition for condition in seen if condition.domain == domain]
        foreign = max((c.foreign_process_count or 0 for c in mine), default=0)
        if foreign:
            yield doubt("foreign-process", domain=domain, count=foreign)
        reasons = sorted({reason for c in mine for reason in c.throttle_reasons})
        hardware = [reason for reason in reasons if reason.startswith("hw_")]
        if hardware:
            yield doubt("throttled-hardware", domain=domain, reasons=", ".join(hardware))
        if "sw_thermal_slowdown" in reasons:
            yield doubt("throttled-software", domain=domain)
        settings = clock_settings(reasons)
        if settings:
            yield doubt("clocks-not-default", domain=domain, settings=settings)
        if "sw_power_cap" in reasons:
            yield doubt("throttled-power-cap", domain=domain)
        warm = [c.temperature_celsius for c in mine if c.temperature_celsius is not None]
        if warm and abs(warm[-1] - warm[0]) > TEMPERATURE_DRIFT_CELSIUS:
            yield doubt("temperature-drift", domain=domain, kelvin=abs(warm[-1] - warm[0]))
    loads = [c.other_load_fraction for c in seen if c.other_load_fraction is not None]
    if loads and max(loads) > BUSY_FRACTION:
        yield doubt("machine-busy", percent=100 * max(loads))

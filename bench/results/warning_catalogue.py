"""Every warning: message, remedy, whether it blocks ranking."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bench.results.machine_record import Sensor
from bench.results.record import MeasurementWarning

HIGHEST_POWER_RATIO = 1.1


@dataclass(frozen=True)
class WarningKind:
    """A kind of warning: the words, the remedy, and whether it blocks ranking."""

    message: str
    remedy: str
    blocks_ranking: bool = True


CATALOGUE: dict[str, WarningKind] = {
    # The sensor
    "energy-modelled": WarningKind(
        "No energy sensor could be read: the energy is modelled from CPU time, "
        "and may be off by {percent:.0f} % either way.",
        "Run on a machine with an NVIDIA GPU, or give read access to the CPU's energy counter; "
        "`joulebench doctor` says how.",
    ),
    "energy-replayed": WarningKind(
        "The energy comes from a recorded or made trace, not from this machine.",
        "Leave --meter out to measure.",
    ),
    "energy-missing": WarningKind(
        "The energy of {domain} could not be read: {reason}.",
        "See `joulebench doctor` for this sensor, then run again.",
    ),
    "counter-reset": WarningKind(
        "The energy counter of {domain} went backwards during a window.",
        "Run again; if it comes back, the driver or another tool resets the counter.",
    ),
    "read-failed": WarningKind(
        "Reading {domain} failed: {reason}.",
        "Check the driver with `nvidia-smi` and run again.",
    ),
    "window-short": WarningKind(
        "The window held {steps:.0f} steps of the sensor, fewer than 20.",
        "Give a larger --budget, so that a window can be longer.",
    ),
    "power-implausible-high": WarningKind(
        "Mean power of {domain} was {watts:.0f} W, above 1.1 times its limit of {limit:.0f} W.",
        "The sensor or its scale is wrong: update the driver and run again.",
    ),
    "power-implausible-low": WarningKind(
        "Mean power of {domain} under load was {watts:.1f} W, below half of its idle {idle:.1f} W.",
        "Something else loaded the device while it should have been idle: run on a quiet one.",
    ),
    "counter-wrap-risk": WarningKind(
        "The energy counter of {domain} may have passed its end more than once in a window.",
        "Give a smaller --budget, so that windows are shorter.",
    ),
    "power-averaged": WarningKind(
        "{domain} has no energy counter and no instant power: its power is an average over up to "
        "a second.",
        "Update the driver; until then, give a larger --budget, so that a window can be longer.",
        blocks_ranking=False,
    ),
    "aliasing-risk": WarningKind(
        "{domain} has no energy counter, and its power sensor may look only part of the time.",
        "Nothing to mend on this card: the interval allows for it.",
        blocks_ranking=False,
    ),
    # The device
    "foreign-process": WarningKind(
        "{count} other process(es) used {domain} during the run.",
        "Stop what else runs on this device, or choose another with --device.",
    ),
    "throttled-hardware": WarningKind(
        "{domain} was slowed by its hardware ({reasons}).",
        "Improve cooling or power delivery, then run again.",
    ),
    "throttled-software": WarningKind(
        "{domain} was slowed by its driver because of heat.",
        "Improve cooling, then run again.",
    ),
    "throttled-power-cap": WarningKind(
        "{domain} was held at its power limit.",
        "Nothing to mend: the figure is that of this limit.",
        blocks_ranking=False,
    ),
    "temperature-drift": WarningKind(
        "{domain} warmed or cooled by {kelvin:.0f} °C between the first trial and the last.",
        "Give a larger --budget, so that warm-up reaches a steady temperature.",
        blocks_ranking=False,
    ),
    "power-limit-changed": WarningKind(
        "{domain} runs at {limit:.0f} W, not at its default limit of {default:.0f} W.",
        "Compare only with results at the same limit.",
        blocks_ranking=False,
    ),
    "mig-whole-gpu": WarningKind(
        "{domain} is split with MIG, and its sensor reads the whole card.",
        "Turn MIG off (`sudo nvidia-smi -mig 0`), or take the figure of the whole card with "
        "--meter-option nvml_mig=whole.",
    ),
    "module-scope": WarningKind(
        "The energy counter of {domain} covers its whole module: the CPU and its memory too.",
        "Nothing to mend on this machine: compare only with results of the same module.",
        blocks_ranking=False,
    ),
    "clocks-not-default": WarningKind(
        "The clocks of {domain} are not at their default ({settings}).",
        "Reset them with `sudo nvidia-smi -rac` and `sudo nvidia-smi -rgc`, or compare only with "
        "results at the same clocks.",
        blocks_ranking=False,
    ),
    # The run
    "requests-failed": WarningKind(
        "{count} request(s) failed in the measured trials.",
        "See what the model answered, and run again.",
    ),
    "interval-target-missed": WarningKind(
        "The 95 % interval is ±{got:.1f} %, wider than the target of ±{target:.1f} %.",
        "Give a larger --budget or a quieter machine.",
        blocks_ranking=False,
    ),
    "not-steady": WarningKind(
        "Warm-up ended before time and power were steady.",
        "Give a larger --budget.",
        blocks_ranking=False,
    ),
    "trials-correlated": WarningKind(
        "The trials follow each other (lag-1 correlation {r:.2f}); the interval was widened.",
        "Let the machine settle, and look for a load that comes and goes.",
        blocks_ranking=False,
    ),
    "quick-run": WarningKind(
        "This was a quick run: too short for a figure that others can rely on.",
        "Run again without --quick and --max-inferences.",
    ),
    "random-weights": WarningKind(
        "The weights are random: the energy is that of the architecture, the answers mean nothing.",
        "Run with --weights pretrained for a result that ranks.",
    ),
    "interrupted": WarningKind(
        "The run was interrupted; only the finished trials are here.",
        "Run again.",
    ),
    "too-few-trials": WarningKind(
        "Only {count} trial(s) were measured, fewer than {least}: there is no interval.",
        "Run again with a larger --budget.",
    ),
    "quality-missing": WarningKind(
        "Quality could not be judged.",
        "Choose a data set with reference answers, and have the libraries that judge them: "
        "pip install 'joulebench[quality]'.",
        blocks_ranking=False,
    ),
    "answers-refused": WarningKind(
        "{count} request(s) were answered in words that name no label, or several.",
        "They count as wrong: compare their number before comparing the quality.",
        blocks_ranking=False,
    ),
    "idle-missing": WarningKind(
        "The idle floor could not be read, so there is no net energy.",
        "See `joulebench doctor`.",
        blocks_ranking=False,
    ),
    "machine-busy": WarningKind(
        "Other programs took up to {percent:.0f} % of the CPU during a measured trial.",
        "Stop what else runs on this machine, and run again.",
        blocks_ranking=False,
    ),
}


def make_warning(code: str, **figures: object) -> MeasurementWarning:
    """The warning of this code with its figures filled in."""
    kind = CATALOGUE[code]
    return MeasurementWarning(
        code=code,
        message=kind.message.format(**figures),
        remedy=kind.remedy,
        blocks_ranking=kind.blocks_ranking,
    )


def missing_energy_warning(domain: str, sensors: Iterable[Sensor]) -> MeasurementWarning:
    """The warning for a domain that no meter covers, with what the meters said of themselves."""
    said = [f"{s.meter}: {s.reason}" for s in sensors if not s.usable and s.reason]
    return make_warning(
        "energy-missing", domain=domain, reason="; ".join(said) or "no meter covers it"
    )

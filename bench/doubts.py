"""Every warning there is, each with its cure, and whether it bars a result from ranking."""

from __future__ import annotations

from dataclasses import dataclass

from bench.records import Doubt


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
        "Something else loaded the device while it should have been idle: run again on a quiet one.",
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
        "Turn MIG off, or read the figure as that of the whole card.",
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
        "Warm-up ended before latency was steady.",
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
        "Quality could not be judged: {reason}.",
        "Choose a data set with reference answers to see quality beside energy.",
        bars_ranking=False,
    ),
    "idle-missing": Kind(
        "The idle floor could not be read, so there is no net energy.",
        "See `joulebench doctor`.",
        bars_ranking=False,
    ),
    "machine-busy": Kind(
        "Other programs used {percent:.0f} % of the CPU while the machine should have been idle.",
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

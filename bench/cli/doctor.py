"""`joulebench doctor`: the sensors of this machine, what is missing, and the remedy."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from bench.cli._io import print_json
from bench.cli._options import DeviceName, Json
from bench.reports.text_layout import print_template
from bench.results.machine_record import Device, DeviceState, Machine
from bench.results.throttling import clock_settings_label
from bench.system.nvidia_driver import covers_module

PANEL = "Measure"

# Part of a sensor's reason, and its remedy; the reasons of the other meters state their remedies.
REMEDIES = Path(__file__).with_name("doctor_remedies.csv")


class MachineAssessment(NamedTuple):
    """Whether results of a machine can rank, whether it has a sensor, and both in a sentence."""

    text: str
    ranks: bool
    measured: bool


def command(device: DeviceName = "auto", as_json: Json = False) -> None:
    """List the sensors of this machine, the missing ones, and how to enable them."""
    from bench.meters import MeterContext
    from bench.runner import instruments
    from bench.system import device_monitor
    from bench.system.clock import SystemClock
    from bench.system.machine import describe_machine

    machine = describe_machine(device)
    _, sensors = instruments.open_meters(None, MeterContext(SystemClock(), machine.devices))
    machine = machine.model_copy(update={"sensors": sensors})
    states = device_monitor.DeviceMonitor(machine).sample()
    if not as_json:
        print_machine(machine, states, Console(highlight=False))
        return
    assessment = assess_machine(machine)
    print_json(
        {
            **machine.model_dump(mode="json"),
            "device_states": [state.model_dump(mode="json") for state in states],
            "remedies": {s.meter: find_remedy(s.reason) for s in machine.sensors if s.reason},
            "good_for": assessment.text,
            "ranks": assessment.ranks,
        }
    )


def print_machine(machine: Machine, device_states: Sequence[DeviceState], console: Console) -> None:
    """Print devices with their present states, usable sensors, unusable ones, the assessment."""
    print_template(
        Path(__file__).with_suffix(".jinja"),
        console,
        machine=machine,
        assessment=assess_machine(machine),
        gpu_notes=lambda gpu: list(_gpu_notes(gpu, device_states)),
        find_remedy=find_remedy,
    )


def assess_machine(machine: Machine) -> MachineAssessment:
    """Whether results of this machine are measured and can be ranked."""
    measured_domains = {
        domain
        for sensor in machine.sensors
        if sensor.usable and sensor.method != "modelled"
        for domain in sensor.domains
    }
    used = machine.used_gpus
    unread = ", ".join(d.domain for d in used if d.domain not in measured_domains)
    split = ", ".join(d.domain for d in used if d.mig_enabled)
    if unread:
        return MachineAssessment(f"Results do not rank: {unread} cannot be read.", False, True)
    if split:
        return MachineAssessment(f"Results do not rank: {split} is split with MIG.", False, True)
    if used:
        return MachineAssessment("Results can rank: the GPU is measured.", True, True)
    if measured_domains:
        measured = ", ".join(sorted(measured_domains))
        text = f"Results can rank among machines without a GPU: {measured} is measured."
        return MachineAssessment(text, True, True)
    return MachineAssessment(
        "Results do not rank: the energy is modelled from CPU time. It is good for trying "
        "things out and for a rough comparison of models; every result is marked as modelled.",
        False,
        False,
    )


def find_remedy(reason: str) -> str | None:
    """The remedy for an unusable sensor; None where the reason states it or there is none."""
    with REMEDIES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return next((row["remedy"] for row in rows if row["reason_contains"] in reason), None)


def _gpu_notes(gpu: Device, device_states: Sequence[DeviceState]) -> Iterator[str]:
    """Settings that are not the default ones, each with the command that resets it."""
    limit, default = gpu.power_limit_watts, gpu.default_power_limit_watts
    if gpu.mig_enabled:
        yield "MIG: its sensor reads the complete card (sudo nvidia-smi -mig 0)"
    if covers_module(gpu.name):
        yield "its counter covers the module: CPU and memory too"
    if limit is not None and default is not None and abs(limit - default) > 0.5:
        yield f"limit is not the default {default:.0f} W (sudo nvidia-smi -pl {default:.0f})"
    states = [state for state in device_states if state.domain == gpu.domain]
    settings = clock_settings_label([r for state in states for r in state.throttle_reasons])
    if settings:
        yield f"{settings}, not the default ones (sudo nvidia-smi -rac, -rgc)"

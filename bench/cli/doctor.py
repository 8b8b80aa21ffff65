"""`joulebench doctor`: the sensors of this machine, what is missing, and the remedy."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from rich.console import Console, RenderableType
from rich.text import Text

from bench.cli._io import print_json
from bench.cli._options import DeviceName, Json
from bench.reports.text_layout import column_table, print_blocks
from bench.results.machine_record import Device, DeviceState, Machine, Sensor
from bench.results.throttling import clock_settings_label
from bench.system.nvidia_driver import covers_module

PANEL = "Measure"

GPU_COLUMNS = ("domain", "name", "used", "limit", "driver", "others", "notes")
SENSOR_COLUMNS = ("meter", "domains", "method", "step", "jitter", "read", "ratio")
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
    blocks: list[RenderableType] = [Text(_host(machine), style="bold")]
    gpus = [device for device in machine.devices if device.is_gpu]
    if gpus:
        cells = [_gpu_cells(gpu, device_states) for gpu in gpus]
        blocks.append(column_table(GPU_COLUMNS, cells, "GPUs", wrapped=("name", "notes")))
    usable = [sensor for sensor in machine.sensors if sensor.usable]
    if usable:
        sensors = map(_sensor_cells, usable)
        blocks.append(column_table(SENSOR_COLUMNS, sensors, "Sensors"))
    unusable = [sensor for sensor in machine.sensors if sensor.reason]
    if unusable:
        remedies = map(_remedy_cells, unusable)
        wrapped = ("reason and remedy",)
        blocks.append(column_table(("meter", *wrapped), remedies, "Unusable sensors", wrapped))
    assessment = assess_machine(machine)
    colour = "green" if assessment.ranks else "red" if assessment.measured else "yellow"
    blocks.append(Text(assessment.text, style=f"bold {colour}"))
    print_blocks(blocks, console)


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


def _host(machine: Machine) -> str:
    return (
        f"{machine.cpu_name}, {machine.cpu_logical_count} logical CPUs, "
        f"{machine.memory_bytes / 2**30:.0f} GiB, {machine.operating_system}"
        f"{' in a container' if machine.container else ''}"
    )


def _gpu_cells(gpu: Device, device_states: Sequence[DeviceState]) -> tuple[str, ...]:
    limit, others = gpu.power_limit_watts, gpu.foreign_process_count
    return (
        gpu.domain,
        gpu.name,
        "yes" if gpu.used else "no",
        f"{limit:.0f} W" if limit is not None else "?",
        gpu.driver_version or "?",
        "?" if others is None else f"{others} processes" if others else "none",
        "; ".join(_gpu_notes(gpu, device_states)),
    )


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


def _sensor_cells(sensor: Sensor) -> tuple[str, ...]:
    """Step, jitter, duration of one read, and ratio of counter to integrated power."""
    ratio = sensor.counter_to_power_ratio
    return (
        sensor.meter,
        ", ".join(sensor.domains),
        sensor.method or "",
        _duration(sensor.step_seconds),
        _duration(sensor.jitter_seconds),
        _duration(sensor.read_cost_seconds),
        f"{ratio:.3f}" if ratio is not None else "",
    )


def _remedy_cells(sensor: Sensor) -> tuple[Text, str]:
    reason = sensor.reason or ""
    remedy = find_remedy(reason)
    return Text(sensor.meter, style="yellow"), f"{reason}: {remedy}" if remedy else reason


def _duration(seconds: float | None) -> str:
    if seconds is None:
        return ""
    return f"{1e6 * seconds:.0f} µs" if seconds < 0.001 else f"{1e3 * seconds:.1f} ms"

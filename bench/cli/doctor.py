"""`doctor`: what this machine can measure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.cli._errors import exit_on_error
from bench.cli._options import DeviceName, Json
from bench.results.formatting import clock_settings_label
from bench.results.machine_record import Device, DeviceState, Machine, Sensor
from bench.system import nvidia_driver

PANEL = "Measure"


def command(
    device: DeviceName = "auto",
    as_json: Json = False,
) -> None:
    """Say which sensors this machine has, which are missing, and how to remedy that."""
    from bench.meters import MeterContext
    from bench.runner import instruments
    from bench.system import device_monitor
    from bench.system.clock import SystemClock
    from bench.system.machine import describe_machine

    described = exit_on_error(lambda: describe_machine(device))
    _, sensors = instruments.open_meters(None, MeterContext(SystemClock(), described.devices))
    described = described.model_copy(update={"sensors": sensors})
    device_states = device_monitor.DeviceMonitor(described).look()

    if as_json:
        found = verdict(described)
        about = {
            **described.model_dump(mode="json"),
            "device_states": [c.model_dump(mode="json") for c in device_states],
            "remedies": {s.meter: remedy(s.reason) for s in described.sensors if s.reason},
            "good_for": found.words,
            "ranks": found.ranks,
        }
        print(json.dumps(about, ensure_ascii=False))
        return
    from rich.console import Console

    show(described, device_states, Console(highlight=False))


# Some words of a reason, and what mends it; the other meters' reasons hold their remedies.
_REMEDIES = {
    "driver was not found": "with an NVIDIA GPU, install its driver (Debian: `sudo apt install "
    "nvidia-driver`); in a container, start it with `--gpus all`",
    "driver is not loaded": "`sudo modprobe nvidia`",
    "have different versions": "`sudo reboot`",
    "forbidden to this user": "run as root; in a container, start it with "
    "`-e NVIDIA_DRIVER_CAPABILITIES=compute,utility`",
    "too old to have": "update NVIDIA's driver",
    "the GPU is lost": "`sudo nvidia-smi --gpu-reset`, or reboot",
    "needs a reset": "`sudo nvidia-smi --gpu-reset`",
    "does not support this reading": "this card has no such sensor: measure on another",
    "stands still": "reload the driver: `sudo rmmod nvidia_uvm nvidia && sudo modprobe nvidia`",
    "nvidia-ml-py is not installed": "`pip install nvidia-ml-py`",
}


class MachineAssessment(NamedTuple):
    """What results from a machine are good for, in one sentence, and whether they can rank."""

    words: str
    ranks: bool
    measured: bool


def show(machine: Machine, device_states: Sequence[DeviceState], console: Console) -> None:
    """Print the check-up: devices, sensors, what can't be read and why, and the verdict.

    `device_states` are the devices in use as they are now.
    """
    parts: list[RenderableType] = [_host(machine)]
    gpus = [device for device in machine.devices if device.domain.startswith("gpu:")]
    if gpus:
        parts.append(_devices(gpus, device_states))
    usable = [sensor for sensor in machine.sensors if sensor.usable]
    if usable:
        parts.append(_sensors(usable))
    missing = [s for s in machine.sensors if s.reason]
    if missing:
        parts.append(_missing(missing))
    found = verdict(machine)
    colour = "green" if found.ranks else "red" if found.measured else "yellow"
    parts.append(Text(found.words, style=f"bold {colour}"))
    console.print(Padding(Group(*_spaced(parts)), (1, 2)))


def verdict(machine: Machine) -> MachineAssessment:
    """What results from this machine are good for."""
    sensed = {
        domain
        for sensor in machine.sensors
        if sensor.usable and sensor.method != "modelled"
        for domain in sensor.domains
    }
    used = [d for d in machine.devices if d.used and d.domain.startswith("gpu:")]
    unread = ", ".join(d.domain for d in used if d.domain not in sensed)
    split = ", ".join(d.domain for d in used if d.mig_enabled)
    if unread:
        return MachineAssessment(f"Not good for ranking: {unread} can't be read.", False, True)
    if split:
        return MachineAssessment(f"Not good for ranking: {split} is split with MIG.", False, True)
    if used:
        return MachineAssessment("Good for ranking: the GPU is measured.", True, True)
    if sensed:
        return MachineAssessment(
            "Good for ranking among CPUs: the processor is measured.", True, True
        )
    return MachineAssessment(
        "Good for trying things out and for comparing models roughly: energy is modelled from CPU "
        "time here, every result says so, and none is ranked.",
        False,
        False,
    )


def _host(machine: Machine) -> Text:
    place = " in a container" if machine.container else ""
    memory = machine.memory_bytes / 2**30
    return Text(
        f"{machine.cpu_name}, {machine.cpu_logical_count} logical CPUs, {memory:.0f} GiB, "
        f"{machine.operating_system}{place}",
        style="bold",
    )


def _devices(gpus: list[Device], device_states: Sequence[DeviceState]) -> Table:
    table = _table("GPUs", "domain", "name", "used", "limit", "driver", "others", "notes")
    for gpu in gpus:
        limit = gpu.power_limit_watts
        reasons = [r for c in device_states if c.domain == gpu.domain for r in c.throttle_reasons]
        notes = [*_notes(gpu), *_clock_notes(reasons)]
        others = gpu.foreign_process_count
        table.add_row(
            gpu.domain,
            gpu.name,
            "yes" if gpu.used else "no",
            f"{limit:.0f} W" if limit is not None else "?",
            gpu.driver_version or "?",
            "?" if others is None else f"{others} processes" if others else "none",
            "; ".join(notes),
        )
    return table


def _notes(gpu: Device) -> Iterator[str]:
    """What is out of the ordinary with a GPU."""
    limit, default = gpu.power_limit_watts, gpu.default_power_limit_watts
    if gpu.mig_enabled:
        yield "MIG: its sensor reads the whole card (sudo nvidia-smi -mig 0)"
    if nvidia_driver.covers_module(gpu.name):
        yield "its counter covers the module: CPU and memory too"
    if limit is not None and default is not None and abs(limit - default) > 0.5:
        yield f"limit is not the default {default:.0f} W (sudo nvidia-smi -pl {default:.0f})"


def _clock_notes(reasons: Sequence[str]) -> Iterator[str]:
    settings = clock_settings_label(reasons)
    if settings:
        yield f"{settings}, not the default ones (sudo nvidia-smi -rac, -rgc)"


def _sensors(usable: list[Sensor]) -> Table:
    """Step and jitter of each sensor, what one read costs, and its counter over its power."""
    table = _table("Sensors", "meter", "covers", "method", "step", "jitter", "read", "ratio")
    for sensor in usable:
        ratio = sensor.counter_to_power_ratio
        table.add_row(
            sensor.meter,
            ", ".join(sensor.domains),
            sensor.method or "",
            _time(sensor.step_seconds),
            _time(sensor.jitter_seconds),
            _time(sensor.read_cost_seconds),
            f"{ratio:.3f}" if ratio is not None else "",
        )
    return table


def remedy(reason: str) -> str | None:
    """What mends a sensor that can't be read, or None where the reason says it or nothing does."""
    return next((remedy for words, remedy in _REMEDIES.items() if words in reason), None)


def _missing(sensors: list[Sensor]) -> Table:
    table = _table("What can't be read, and the remedy", "meter", "why")
    for sensor in sensors:
        reason = sensor.reason or ""
        mends = remedy(reason)
        words = f"{reason}: {mends}" if mends else reason
        table.add_row(Text(sensor.meter, style="yellow"), Text(words))
    return table


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", title_style="", box=None, padding=(0, 2, 0, 0))
    for column in columns:
        wraps = column in ("why", "notes", "name")
        table.add_column(column, header_style="dim", overflow="fold", no_wrap=not wraps)
    return table


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    if seconds < 0.001:
        return f"{1e6 * seconds:.0f} µs"
    return f"{1e3 * seconds:.1f} ms"


def _spaced(parts: list[RenderableType]) -> Iterator[RenderableType]:
    for index, part in enumerate(parts):
        if index:
            yield Text()
        yield part

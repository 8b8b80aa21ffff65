"""What this machine can measure and how well, what is missing, and how to cure it."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bench.records import Device, Machine, Sensor


def show(machine: Machine, console: Console) -> None:
    """Print the check-up: devices, sensors, what can't be read and why, and the verdict."""
    parts: list[RenderableType] = [_host(machine)]
    gpus = [device for device in machine.devices if device.domain.startswith("gpu:")]
    if gpus:
        parts.append(_devices(gpus))
    usable = [sensor for sensor in machine.sensors if sensor.usable]
    if usable:
        parts.append(_sensors(usable))
    missing = [s for s in machine.sensors if s.reason]
    if missing:
        parts.append(_missing(missing))
    parts.append(verdict(machine))
    console.print(Padding(Group(*_spaced(parts)), (1, 2)))


def verdict(machine: Machine) -> Text:
    """What results from this machine are good for, in one sentence."""
    sensed = {
        domain
        for sensor in machine.sensors
        if sensor.usable and sensor.method != "modelled"
        for domain in sensor.domains
    }
    gpus = {d.domain for d in machine.devices if d.used and d.domain.startswith("gpu:")}
    if gpus and gpus <= sensed:
        return Text("Good for ranking: the GPU is measured.", style="bold green")
    if gpus:
        return Text(
            f"Not good for ranking: {', '.join(sorted(gpus - sensed))} can't be read.",
            style="bold red",
        )
    if sensed:
        return Text("Good for ranking among CPUs: the processor is measured.", style="bold green")
    return Text(
        "Good for trying things out and for comparing models roughly: energy is modelled from CPU "
        "time here, every result says so, and none is ranked.",
        style="bold yellow",
    )


def _host(machine: Machine) -> Text:
    place = " in a container" if machine.container else ""
    memory = machine.memory_bytes / 2**30
    return Text(
        f"{machine.cpu_name}, {machine.cpu_logical_count} logical CPUs, {memory:.0f} GiB, "
        f"{machine.operating_system}{place}",
        style="bold",
    )


def _devices(gpus: list[Device]) -> Table:
    table = _table("GPUs", "domain", "name", "used", "limit", "driver", "others", "notes")
    for gpu in gpus:
        limit, default = gpu.power_limit_watts, gpu.default_power_limit_watts
        notes = ["MIG: its sensor reads the whole card"] if gpu.mig_enabled else []
        if limit is not None and default is not None and abs(limit - default) > 0.5:
            notes.append(f"limit is not the default {default:.0f} W")
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


def _missing(sensors: list[Sensor]) -> Table:
    table = _table("What can't be read, and the cure", "meter", "why")
    for sensor in sensors:
        table.add_row(Text(sensor.meter, style="yellow"), Text(sensor.reason or ""))
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

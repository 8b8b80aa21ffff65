"""`track()`; a block of code as a ProgramRecord."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.impact import regions
from bench.meters import MeterContext
from bench.results.machine_record import Machine, Sensor
from bench.results.record import Reading
from bench.results.versions import __version__
from bench.results.warning_catalogue import missing_energy_warning
from bench.runner import window
from bench.runner.instruments import Instruments, open_meters
from bench.system import device_monitor, machine
from bench.system.clock import Clock, SystemClock
from bench.tracker.program_record import ProgramRecord, boundary_of, total_energy, warnings_of


@dataclass
class Measurement:
    """What a block of code drew. Empty until the block has ended.

    A reading has `domain`, `energy_joules` (None, never 0, where nothing could be read),
    `standard_uncertainty_joules`, `low_joules` and `high_joules` (95 %), `duration_seconds`,
    `method` ("counter", "integrated" or "modelled") and `warnings`.
    """

    readings: tuple[Reading, ...] = ()
    duration_seconds: float | None = None
    sensors: tuple[Sensor, ...] = ()
    machine: Machine | None = None


@contextmanager
def track(
    devices: Sequence[int] | None = None,
    clock: Clock | None = None,
    back_to_back: bool = False,
    options: Mapping[str, str] | None = None,
) -> Iterator[Measurement]:
    """Measure the energy of a block of code.

    `devices` are GPUs by their number among those visible to this process; None means all of them.
    The readings are there after the block, also when it raises. Opening waits for the sensors to be
    known (about two seconds with a GPU) before the block begins. `back_to_back` is for a load that
    goes on before the block and after it, such as a server under test: then there is no rest to
    anchor on, and the interval is wider. `options` are those of the meters, as text. Raises
    ValueError with one sentence where there is no such device or option.
    """
    clock = clock or SystemClock()
    described = _described(devices)
    told = {**(options or {}), **({"nvml_back_to_back": "1"} if back_to_back else {})}
    meters, sensors = open_meters(None, MeterContext(clock, described.devices, told))
    watch = device_monitor.DeviceMonitor(described, loaded=True)
    rig = Instruments(clock, tuple(item.meter for item in meters), strangers=watch.strangers)
    described = described.model_copy(update={"sensors": sensors})
    measurement = Measurement(sensors=sensors, machine=described)
    opened = window.open_window(rig)
    try:
        yield measurement
    finally:
        closed: window.MeasuredWindow[None] = window.close_window(rig, opened)
        measurement.duration_seconds = closed.duration_seconds
        measurement.readings = (
            *closed.readings,
            *_unread(described, closed.readings, closed.duration_seconds, sensors),
        )


def _described(devices: Sequence[int] | None) -> Machine:
    if devices is None:
        return machine.describe_machine("all")
    _same_numbers(machine.describe_machine("all"))
    return machine.describe_machine(",".join(f"cuda:{number}" for number in devices) or "cpu")


def _same_numbers(described: Machine) -> None:
    """Raise ValueError where a GPU's number may not mean the same to CUDA and to the driver.

    CUDA counts the fastest first, the driver by slot: on a machine of unlike cards they differ.
    """
    names = {device.name for device in described.devices if device.domain.startswith("gpu:")}
    if len(names) > 1 and os.environ.get("CUDA_DEVICE_ORDER") != "PCI_BUS_ID":
        raise ValueError(
            "this machine has unlike GPUs: set CUDA_DEVICE_ORDER=PCI_BUS_ID before torch starts, "
            "so that their numbers mean the same to torch and to the driver"
        )


def _unread(
    described: Machine, readings: Sequence[Reading], seconds: float, sensors: tuple[Sensor, ...]
) -> Iterator[Reading]:
    """A reading without energy for each GPU in use that no meter covered."""
    read = {reading.domain for reading in readings}
    for device in described.devices:
        if device.used and device.domain.startswith("gpu:") and device.domain not in read:
            yield Reading(
                domain=device.domain,
                meter="none",
                method="counter",
                energy_joules=None,
                standard_uncertainty_joules=None,
                duration_seconds=seconds,
                warnings=(missing_energy_warning(device.domain, sensors),),
            )


def make_program_record(
    measurement: Measurement, name: str, region: str | None = None, pue: float | None = None
) -> ProgramRecord:
    """The record of a block that has ended: its energy over the boundary, in kWh, and all else.

    Raises ValueError where the block has not ended, the region is unknown or the PUE below 1.
    """
    if measurement.machine is None or measurement.duration_seconds is None:
        raise ValueError("the block has not ended yet: call this after the with statement")
    if pue is not None and not 1 <= pue < 100:
        raise ValueError(f"a PUE of {pue:g} can't be: it is 1 or more")
    boundary, calibration = boundary_of(measurement.machine)
    return ProgramRecord(
        track_id=uuid.uuid4().hex[:12],
        name=name[:300],
        created_at=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        joulebench_version=__version__,
        status="done",
        exit_code=None,
        duration_seconds=measurement.duration_seconds,
        tracker_cpu_seconds=None,
        region=None if region is None else regions.find(region).key,
        pue=pue,
        boundary=boundary,
        energy_kwh=total_energy(measurement.readings, boundary, calibration),
        calibration=calibration,
        readings=measurement.readings,
        machine=measurement.machine,
        warnings=warnings_of(measurement.readings, boundary, calibration, measurement.machine),
    )

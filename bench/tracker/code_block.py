"""`track()` measures a block of Python code; `make_program_record` makes a ProgramRecord of it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bench.meters import MeterContext, make_reading
from bench.results.machine_record import Machine, Sensor
from bench.results.record import Reading
from bench.results.warning_catalogue import missing_energy_warning
from bench.runner import window
from bench.runner.instruments import Instruments, open_meters
from bench.system import device_monitor, machine
from bench.system.clock import Clock, SystemClock
from bench.system.process import configure_environment
from bench.system.queued_work import wait_for_queued_work
from bench.tracker.program_record import TIME_FORMAT, ProgramRecord, make_record


@dataclass
class Measurement:
    """Energy of a block of code. `readings` is empty until the block has ended.

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
    synchronize: bool = True,
) -> Iterator[Measurement]:
    """Measure the energy of a block of code.

    `devices` are GPUs by their number among those visible to this process; None means all of them.
    `back_to_back` is for a load that goes on before and after the block, such as a server under
    test: power before and after then tells nothing about idle power, and the interval is wider.
    `options` are those of the meters, as text. `synchronize` waits at both ends for the work that
    torch, JAX or CuPy has queued on these GPUs, so that the block has all its own work and no
    other; no framework is imported or started by it.

    Entering takes about two seconds with a GPU, to measure the step of its sensor. The readings are
    set when the block ends, also where it raises. Raises ValueError with one sentence where there
    is no such device or option.
    """
    configure_environment()
    clock = clock or SystemClock()
    described = machine.describe_machine("all")
    if devices is not None:
        machine.check_gpu_numbering(described)
        names = ",".join(f"cuda:{number}" for number in devices) or "cpu"
        described = machine.describe_machine(names)
    meter_options = {**(options or {}), **({"nvml_back_to_back": "1"} if back_to_back else {})}
    meters, sensors = open_meters(None, MeterContext(clock, described.devices, meter_options))
    monitor = device_monitor.DeviceMonitor(described, loaded=True)
    instruments = Instruments(clock, meters, foreign_processes=monitor.foreign_processes)
    described = described.model_copy(update={"sensors": sensors})
    measurement = Measurement(sensors=sensors, machine=described)
    gpu_uuids = {gpu.uuid for gpu in described.used_gpus if gpu.uuid} if synchronize else None
    _wait(gpu_uuids)
    opened = window.open_window(instruments)
    try:
        yield measurement
    finally:
        _wait(gpu_uuids)
        closed = window.close_window(instruments, opened)
        seconds = measurement.duration_seconds = closed.duration_seconds
        covered = {reading.domain for reading in closed.readings}
        gpus = [gpu.domain for gpu in described.used_gpus if gpu.domain not in covered]
        measurement.readings = closed.readings
        for domain in gpus:
            warnings = [missing_energy_warning(domain, sensors)]
            missing = make_reading(domain, "none", "counter", seconds, warnings=warnings)
            measurement.readings += (missing,)


def _wait(gpu_uuids: Collection[str] | None) -> None:
    if gpu_uuids is not None:
        wait_for_queued_work(gpu_uuids)


def make_program_record(
    measurement: Measurement, name: str, region: str | None = None, pue: float | None = None
) -> ProgramRecord:
    """The record of a measured block: its total energy in kWh over the boundary, with its interval.

    `region` is a key such as "FR" or "aws:eu-west-3", `pue` the data centre's power usage
    effectiveness. `bench.reports.program_summary.print_program` prints the record and
    `bench.reports.exporters.codecarbon.append_program` adds it to a csv file.

    Raises ValueError where the block has not ended, the region is unknown or the PUE below 1.
    """
    from bench.impact import regions

    if measurement.machine is None or measurement.duration_seconds is None:
        raise ValueError("the block has not ended yet: call this after the with statement")
    if pue is not None and not 1 <= pue < 100:
        raise ValueError(f"a PUE of {pue:g} is impossible: it is 1 or more")
    return make_record(
        measurement.readings,
        measurement.machine,
        track_id=uuid.uuid4().hex[:12],
        name=name[:300],
        created_at=datetime.now(UTC).strftime(TIME_FORMAT),
        status="done",
        exit_code=None,
        duration_seconds=measurement.duration_seconds,
        tracker_cpu_seconds=None,
        region=None if region is None else regions.find(region).key,
        pue=pue,
    )

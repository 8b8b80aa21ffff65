"""Cumulative readings of all meters from the first moment of a program."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.meters import MeterContext, measured_domains, missing_reading
from bench.results.domains import overlap
from bench.system import machine, registry
from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.meters import CumulativeReader, Meter
    from bench.meters.modelled import ModelledMeter
    from bench.results.machine_record import Machine, Sensor
    from bench.results.record import Reading

DRIVER_TIMEOUT_SECONDS = 0.05  # a slower driver is opened while the program runs (decision 0008)
POWERCAP = "/sys/class/powercap"


class SystemSensors:
    """The meters of a program's energy: GPUs, the CPU's counters, and a model of its CPU time."""

    def __init__(self, device: str, clock: Clock, options: Mapping[str, str]) -> None:
        self._device, self._clock = device, clock
        self._context = MeterContext(clock, (), options)
        self._gpus: machine.GpuSnapshot | None = None
        self._readers: list[CumulativeReader] = []
        self._device_error: ValueError | None = None
        self._model: ModelledMeter | None = None
        self._opening = threading.Thread(target=self._open, daemon=True)
        self._opening_others = threading.Thread(target=self._open_others, daemon=True)

    def begin(self) -> None:
        """Read all sensors once; a slow driver does not delay the program for long.

        Raises ValueError with one sentence where there is no such device.
        """
        self._opening.start()
        named = self._device not in ("all", "auto", "cpu")
        self._opening.join(None if named else DRIVER_TIMEOUT_SECONDS)
        if self._device_error is not None:
            raise self._device_error

    def _open(self) -> None:
        self._gpus = machine.snapshot_gpus()
        try:
            gpus = machine.selected_gpus(self._device, self._gpus)
        except ValueError as error:
            self._device_error = error
            return
        options = self._context.options
        if gpus:
            from bench.meters.nvml import build as build_nvml

            self._add(build_nvml(MeterContext(self._clock, tuple(gpus), options)))
        if Path(options.get("rapl_root", POWERCAP)).is_dir():
            from bench.meters.rapl import build as build_rapl

            self._add(build_rapl(self._context))

    def begin_others(self) -> None:
        """Open the meters that take their time (zeus, other packages') while the program runs."""
        self._opening_others.start()

    def _open_others(self) -> None:
        context = MeterContext(self._clock, self.describe().devices, self._context.options)
        present = {reader.name for reader in self._readers} | {"modelled"}
        for name in registry.names("meter"):
            module = registry.load("meter", name)
            if name not in present and not getattr(module, "ON_REQUEST", False):
                self._add(LateWindowReader(module.build(context), self._clock))

    def _add(self, reader: CumulativeReader) -> None:
        reader.open()
        self._readers.append(reader)

    def describe(self) -> Machine:
        """The machine, with its GPUs as they were before the program."""
        self._opening.join()
        return machine.describe_machine(self._device, self._gpus)

    def so_far(self, began: float) -> tuple[Reading, ...]:
        """The approximate energy of every domain since `began`."""
        now = self._clock.now()
        readings = [r for reader in tuple(self._readers) for r in reader.so_far(began, now)]
        return self._with_model(readings, began, now)

    def close(self, began: float, ended: float) -> tuple[Reading, ...]:
        """The readings of the program from `began` to `ended`."""
        self._opening_others.join()
        readings = [r for reader in self._readers for r in reader.close(began, ended)]
        return self._with_model(readings, began, ended)

    def describe_sensors(self) -> tuple[Sensor, ...]:
        """What is known of each sensor at this moment, or why it cannot be read."""
        sensors = [reader.sensor() for reader in tuple(self._readers)]
        return (*sensors, self._modelled().probe())

    def _with_model(
        self, readings: Sequence[Reading], began: float, ended: float
    ) -> tuple[Reading, ...]:
        """The readings, with the model where no sensor covers the CPU."""
        modelled = self._modelled().stop(0.0, began, ended)
        measured = measured_domains(readings)
        covered = any(overlap(r.domain, domain) for r in modelled for domain in measured)
        return (*readings, *(() if covered else modelled))

    def _modelled(self) -> ModelledMeter:
        from bench.meters.modelled import ModelledMeter
        from bench.system.process import cpu_seconds

        self._model = self._model or ModelledMeter(self._context, cpu_seconds)
        return self._model


class LateWindowReader:
    """A meter without a cumulative mode: its window opens when its sensor is known.

    Power before that is assumed to be the mean power since, ± 100 % (uniform).
    """

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self._meter, self._clock = meter, clock
        self.name = meter.name
        self._sensor: Sensor | None = None
        self._token: Any = None
        self._opened_at = math.inf

    def open(self) -> None:
        """Characterise the sensor, then open the window; takes up to some seconds."""
        self._sensor = self._meter.probe()
        if self._sensor.usable:
            self._token = self._meter.start()
            self._opened_at = self._clock.now()

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """Nothing: a window is read once."""
        return ()

    def sensor(self) -> Sensor:
        """The meter's own description."""
        from bench.results.machine_record import Sensor

        return self._sensor or Sensor(meter=self.name, usable=False, reason="not known yet")

    def close(self, began: float, ended: float) -> tuple[Reading, ...]:
        """The window's readings, extrapolated to the program's beginning."""
        if self._opened_at == math.inf:
            return ()
        opened_at = max(began, self._opened_at)
        readings = self._meter.stop(self._token, min(opened_at, ended), ended)
        return tuple(_extrapolated(r, opened_at - began, ended - opened_at) for r in readings)


def _extrapolated(reading: Reading, missed_seconds: float, seconds: float) -> Reading:
    """A reading of `seconds`, with `missed_seconds` before it at its mean power."""
    total = missed_seconds + max(seconds, 0.0)
    update: dict[str, object] = {"duration_seconds": total}
    if reading.energy_joules is not None and seconds <= 0:
        subject = reading.domain, reading.meter, reading.method, total
        reason = "the program ended before the sensor was known"
        return missing_reading(*subject, "energy-missing", reason)
    if reading.energy_joules is not None:
        missed = reading.energy_joules / seconds * missed_seconds
        uncertainty = reading.standard_uncertainty_joules or 0.0
        update["energy_joules"] = reading.energy_joules + missed
        update["standard_uncertainty_joules"] = math.hypot(uncertainty, missed / 3**0.5)
    return reading.model_copy(update=update)

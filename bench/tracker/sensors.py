"""Cumulative readings of all meters from the first moment."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.meters import MeterContext, measured_domains
from bench.system import machine, registry
from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.meters import CumulativeReader, Meter
    from bench.meters.modelled import ModelledMeter
    from bench.results.machine_record import Device, Machine, Sensor
    from bench.results.record import Reading

HOLD_BACK_SECONDS = 0.05
POWERCAP = "/sys/class/powercap"


class SystemSensors:
    """What reads a program's energy: GPUs, the CPU's counters, and the model of its CPU time."""

    def __init__(self, device: str, clock: Clock, options: Mapping[str, str]) -> None:
        self._device, self._clock = device, clock
        self._site = MeterContext(clock, (), options)
        self._seen: machine.GpuSnapshot | None = None
        self._tallies: list[CumulativeReader] = []
        self._refusal: ValueError | None = None
        self._model: ModelledMeter | None = None
        self._looking = threading.Thread(target=self._look, daemon=True)
        self._others = threading.Thread(target=self._begin_others, daemon=True)

    def begin(self) -> None:
        """Look at all sensors once; a slow driver does not hold the program back for long.

        Raises ValueError with one sentence where there is no such device.
        """
        self._looking.start()
        named = self._device not in ("all", "auto", "cpu")
        self._looking.join(None if named else HOLD_BACK_SECONDS)
        if self._refusal is not None:
            raise self._refusal

    def _look(self) -> None:
        self._seen = machine.snapshot_gpus()
        try:
            gpus = machine.selected_gpus(self._device, self._seen)
        except ValueError as refusal:
            self._refusal = refusal
            return
        if gpus:
            from bench.meters.nvml.meter import NvidiaTally

            self._begin(NvidiaTally(gpus, self._clock))
        if Path(self._site.options.get("rapl_root", POWERCAP)).is_dir():
            from bench.meters.rapl import RaplTally

            self._begin(RaplTally(self._site))

    def begin_others(self) -> None:
        """Open the meters that take their time (zeus, other packages') while the program runs."""
        self._others.start()

    def _begin_others(self) -> None:

        site = MeterContext(self._clock, self.describe().devices, self._site.options)
        here = {tally.name for tally in self._tallies} | {"modelled"}
        for name in registry.names("meter"):
            module = registry.load("meter", name)
            if name not in here and not getattr(module, "ON_REQUEST", False):
                self._begin(LateWindowReader(module.build(site), self._clock))

    def _begin(self, tally: CumulativeReader) -> None:
        tally.begin()
        self._tallies.append(tally)

    def describe(self) -> Machine:
        """The machine, with its GPUs as they were before the program."""
        self._looking.join()
        return machine.describe_machine(self._device, self._seen)

    def so_far(self, began: float) -> tuple[Reading, ...]:
        """What every domain drew since `began`, roughly."""
        now = self._clock.now()
        readings = [r for tally in tuple(self._tallies) for r in tally.so_far(began, now)]
        return self._with_model(readings, began, now)

    def close(self, began: float, ended: float, described: Machine) -> tuple[Reading, ...]:
        """The readings of the whole window."""
        self._others.join()
        readings = [
            reading
            for tally in self._tallies
            for reading in tally.close(began, ended, described.devices)
        ]
        return self._with_model(readings, began, ended)

    def said(self) -> tuple[Sensor, ...]:
        """What the sensors say of themselves at this moment; those that aren't here, why not."""
        found = [tally.sensor() for tally in tuple(self._tallies)]
        return (*found, self._modelled().probe())

    def _with_model(
        self, readings: Sequence[Reading], began: float, ended: float
    ) -> tuple[Reading, ...]:
        """The readings, with the model where no sensor covers the CPU."""
        modelled = self._modelled().stop(0.0, began, ended)
        sensed = measured_domains(readings)
        return (*readings, *(r for r in modelled if r.domain not in sensed))

    def _modelled(self) -> ModelledMeter:
        from bench.meters.modelled import ModelledMeter
        from bench.system.process import cpu_seconds

        self._model = self._model or ModelledMeter(self._site, cpu_seconds)
        return self._model


class LateWindowReader:
    """A meter whose window opens late, when its sensor is known, and closes with the program.

    What was drawn before that is taken at the mean power since, give or take as much again.
    """

    def __init__(self, meter: Meter, clock: Clock) -> None:
        self._meter, self._clock = meter, clock
        self.name = meter.name
        self._said: Sensor | None = None
        self._mark: Any = None
        self._opened = math.inf

    def begin(self) -> None:
        """Learn the sensor, then open the window; takes up to some seconds."""
        self._said = self._meter.probe()
        if self._said.usable:
            self._mark = self._meter.start()
            self._opened = self._clock.now()

    def so_far(self, began: float, now: float) -> tuple[Reading, ...]:
        """Nothing: a window is read once."""
        return ()

    def sensor(self) -> Sensor:
        """What the meter said of itself."""
        from bench.results.machine_record import Sensor

        return self._said or Sensor(meter=self.name, usable=False, reason="not known yet")

    def close(self, began: float, ended: float, devices: Sequence[Device]) -> tuple[Reading, ...]:
        """The window's readings, stretched to the program's beginning."""
        if self._mark is None:
            return ()
        opened = max(began, self._opened)
        readings = self._meter.stop(self._mark, min(opened, ended), ended)
        return tuple(_stretched(reading, opened - began, ended - opened) for reading in readings)


def _stretched(reading: Reading, late: float, seconds: float) -> Reading:
    from bench.results.warning_catalogue import make_warning

    whole = {"duration_seconds": late + max(seconds, 0.0)}
    if reading.energy_joules is None:
        return reading.model_copy(update=whole)
    if seconds <= 0:
        reason = "the program ended before the sensor was known"
        missing = make_warning("energy-missing", domain=reading.domain, reason=reason)
        nothing = {"energy_joules": None, "standard_uncertainty_joules": None}
        return reading.model_copy(update={**whole, **nothing, "warnings": (missing,)})
    head = reading.energy_joules / seconds * late
    spread = math.hypot(reading.standard_uncertainty_joules or 0.0, head / 3**0.5)
    energy = {
        "energy_joules": reading.energy_joules + head,
        "standard_uncertainty_joules": spread,
    }
    return reading.model_copy(update={**whole, **energy})

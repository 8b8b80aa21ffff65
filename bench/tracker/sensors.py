"""The running totals of this machine's sensors, opened within a few milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench.meters import MeterContext, measured_domains
from bench.system import machine, registry
from bench.system.clock import Clock

if TYPE_CHECKING:
    from bench.meters import CumulativeReader
    from bench.meters.modelled import ModelledMeter
    from bench.results.machine_record import Machine, Sensor
    from bench.results.record import Reading

HOLD_BACK_SECONDS = 0.05
POWERCAP = "/sys/class/powercap"


class Sensors:
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
        from bench.meters._meter_tally import MeterTally

        site = MeterContext(self._clock, self.describe().devices, self._site.options)
        here = {tally.name for tally in self._tallies} | {"modelled"}
        for name in registry.names("meter"):
            module = registry.load("meter", name)
            if name not in here and not getattr(module, "ON_REQUEST", False):
                self._begin(MeterTally(module.build(site), self._clock))

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

"""The running totals of this machine's sensors, opened within a few milliseconds."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bench import machine
from bench.clock import Clock
from bench.meters import Site, covered

if TYPE_CHECKING:
    from bench.meters._tally import Tally
    from bench.meters.modelled import ModelledMeter
    from bench.records import Machine, Reading, Sensor

HOLD_BACK_SECONDS = 0.05
POWERCAP = "/sys/class/powercap"


class Sensors:
    """What reads a program's energy: NVIDIA GPUs, the CPU's counters, and the model of its CPU."""

    def __init__(self, device: str, clock: Clock, options: Mapping[str, str]) -> None:
        self._device, self._clock = device, clock
        self._site = Site(clock, (), options)
        self._seen: machine.Seen | None = None
        self._tallies: list[Tally] = []
        self._refusal: ValueError | None = None
        self._model: ModelledMeter | None = None
        self._missing: tuple[Sensor, ...] | None = None
        self._looking = threading.Thread(target=self._look, daemon=True)

    def begin(self) -> None:
        """Look at all sensors once; a slow driver does not hold the program back for long.

        Raises ValueError with one sentence where there is no such device.
        """
        self._looking.start()
        self._looking.join(HOLD_BACK_SECONDS if self._device in ("all", "auto", "cpu") else None)
        if self._refusal is not None:
            raise self._refusal

    def _look(self) -> None:
        self._seen = machine.look()
        try:
            gpus = machine.chosen(self._device, self._seen)
        except ValueError as refusal:
            self._refusal = refusal
            return
        if gpus:
            from bench.meters._nvidia_tally import NvidiaTally

            self._tallies.append(NvidiaTally(gpus, self._clock))
        if Path(self._site.options.get("rapl_root", POWERCAP)).is_dir():
            from bench.meters._rapl_tally import RaplTally

            self._tallies.append(RaplTally(self._site))
        for tally in self._tallies:
            tally.begin()

    def describe(self) -> Machine:
        """The machine, with its GPUs as they were before the program."""
        self._looking.join()
        return machine.describe(self._device, self._seen)

    def so_far(self, began: float) -> tuple[Reading, ...]:
        """What every domain drew since `began`, roughly."""
        now = self._clock.now()
        if self._looking.is_alive():
            return ()
        readings = [r for tally in self._tallies for r in tally.so_far(began, now)]
        return self._with_model(readings, began, now)

    def close(self, began: float, ended: float, described: Machine) -> tuple[Reading, ...]:
        """The readings of the whole window."""
        self._looking.join()
        readings = [
            reading
            for tally in self._tallies
            for reading in tally.close(began, ended, described.devices)
        ]
        return self._with_model(readings, began, ended)

    def said(self) -> tuple[Sensor, ...]:
        """What the sensors say of themselves at this moment; those that aren't here, why not."""
        found = [] if self._looking.is_alive() else [tally.sensor() for tally in self._tallies]
        return (*found, *self._absent(), self._modelled().probe())

    def _absent(self) -> tuple[Sensor, ...]:
        from bench.meters.nvml import NvmlMeter
        from bench.meters.rapl import RaplMeter

        if self._missing is None:
            kinds = (NvmlMeter, RaplMeter)
            here = {tally.name for tally in self._tallies}
            self._missing = tuple(k(self._site).probe() for k in kinds if k.name not in here)
        return self._missing

    def _with_model(
        self, readings: Sequence[Reading], began: float, ended: float
    ) -> tuple[Reading, ...]:
        """The readings, with the model where no sensor covers the CPU."""
        modelled = self._modelled().stop(0.0, began, ended)
        sensed = covered(readings)
        return (*readings, *(r for r in modelled if r.domain not in sensed))

    def _modelled(self) -> ModelledMeter:
        from bench.meters._tree import cpu_seconds
        from bench.meters.modelled import ModelledMeter

        self._model = self._model or ModelledMeter(self._site, cpu_seconds)
        return self._model

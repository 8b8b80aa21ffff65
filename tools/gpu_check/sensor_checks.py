"""The sensor part: every check on every GPU that this process sees, within a time budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bench.meters import MeterContext
from bench.results.machine_record import Device, Machine
from bench.runner.instruments import Instruments, open_meters
from bench.system import machine, nvidia_driver
from bench.system.clock import Clock
from tools.gpu_check import overhead, sensor, square_wave
from tools.gpu_check.load import Load, OpenLoad
from tools.gpu_check.sensor import USUAL_STEP_SECONDS, Section

LOCK_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """Durations and counts of the checks; all take about four minutes for one GPU."""

    budget_seconds: float = 450.0
    rest_seconds: float = 6.0
    load_seconds: float = 6.0
    bursts: int = 8
    wave_steps: int = 78
    sweep_steps: int = 25
    pairs: int = 8
    work_seconds: float = 4.0
    runs: int = 10

    def shared(self, gpus: int) -> Plan:
        """The plan of each of several GPUs."""
        if gpus <= 1:
            return self
        return replace(
            self,
            rest_seconds=max(3.0, self.rest_seconds / gpus),
            load_seconds=max(3.0, self.load_seconds / gpus),
            bursts=max(3, self.bursts // gpus),
            pairs=max(3, self.pairs // gpus),
            work_seconds=max(2.0, self.work_seconds / gpus),
            runs=max(3, self.runs // gpus),
        )


def check_all(
    count: int, open_load: OpenLoad, plan: Plan, clock: Clock, log: Callable[[str], None]
) -> Section:
    """Check `count` GPUs, one after the other; checks that no time was left for are listed."""
    until = clock.now() + plan.budget_seconds
    gpus = []
    with machine.machine_lock(LOCK_WAIT_SECONDS, log):
        for number in range(count):
            described = machine.describe_machine(f"cuda:{number}")
            device = next(d for d in described.devices if d.used and d.uuid)
            log(f"cuda:{number}: {device.name}")
            gpu = GpuChecks(described, device, plan.shared(count), clock, log)
            gpus.append(gpu.run(open_load, number, until))
    return {"gpus": gpus}


class GpuChecks:
    """The checks of one GPU; a check that fails is listed with its reason, and the next begins."""

    def __init__(
        self,
        described: Machine,
        device: Device,
        plan: Plan,
        clock: Clock,
        log: Callable[[str], None],
    ) -> None:
        self._described, self._device, self._plan = described, device, plan
        self._clock, self._log, self._uuid = clock, log, device.uuid or ""
        self._results: dict[str, Any] = {"device": device.model_dump(mode="json"), "skipped": []}

    def run(self, open_load: OpenLoad, number: int, until: float) -> Section:
        """Run all checks until the time `until`; the results by the name of the check."""
        plan, uuid, clock = self._plan, self._uuid, self._clock
        context = MeterContext(clock, self._described.devices)
        meters, sensors = open_meters(None, context)
        instruments = Instruments(clock, meters)
        self._results["sensors"] = [item.model_dump(mode="json") for item in sensors]
        self._check("at_rest", lambda: sensor.at_rest(uuid, clock, plan.rest_seconds), until, 0)
        rest = self._results["at_rest"]
        step = rest["counter_step_seconds"] or rest["power_update_seconds"] or USUAL_STEP_SECONDS
        load = open_load(number)
        self._results["versions"] = dict(load.versions)
        self._results["temperature_before_celsius"] = _temperature(uuid)
        for name, check, seconds in self.checks(load, instruments, step):
            self._check(name, check, until, seconds)
        self._results["temperature_after_celsius"] = _temperature(uuid)
        return self._results

    def checks(
        self, load: Load, instruments: Instruments, step: float
    ) -> list[tuple[str, Callable[[], Any], float]]:
        """Name, check, and about how many seconds it takes."""
        plan, uuid, clock = self._plan, self._uuid, self._clock
        units = overhead.units_for(clock, load, plan.work_seconds)
        domain = self._device.domain
        return [
            (
                "under_load",
                lambda: sensor.under_load(uuid, clock, load, plan.load_seconds),
                plan.load_seconds + 1,
            ),
            (
                "lag",
                lambda: sensor.lag(uuid, clock, load, step, plan.bursts),
                24 * step * plan.bursts,
            ),
            (
                "duty",
                lambda: square_wave.sensor_duties(uuid, clock, load, step, plan.wave_steps),
                (plan.wave_steps + 40) * step,
            ),
            (
                "repeatability",
                lambda: overhead.repeat(domain, instruments, load, units, plan.runs),
                plan.runs * (plan.work_seconds + 2),
            ),
            (
                "overhead",
                lambda: overhead.compare(uuid, clock, instruments, load, units, plan.pairs),
                plan.pairs * (2 * plan.work_seconds + 3),
            ),
            (
                "sweep",
                lambda: square_wave.sweep(uuid, clock, load, step, plan.sweep_steps),
                (9 * (plan.sweep_steps + 8) + 30) * step,
            ),
        ]

    def _check(self, name: str, check: Callable[[], Any], until: float, seconds: float) -> None:
        if self._clock.now() + seconds > until:
            self._results["skipped"].append(f"{name}: no time was left")
            return
        self._log(f"  {name.replace('_', ' ')}, about {seconds:.0f} s")
        try:
            self._results[name] = check()
        except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
            self._results["skipped"].append(f"{name}: {failure.reason}")


def _temperature(uuid: str) -> float | None:
    try:
        return nvidia_driver.temperature_celsius(uuid)
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return None

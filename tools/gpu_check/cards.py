"""The sensor part: every check on every GPU that this process sees, within the time there is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bench.meters import MeterContext
from bench.results.machine_record import Device, Machine
from bench.runner.instruments import Instruments, open_meters
from bench.system import machine, nvidia_driver
from bench.system.clock import Clock
from tools.gpu_check import overhead, sensor, wave
from tools.gpu_check.load import Load, OpenLoad
from tools.gpu_check.sensor import USUAL_STEP_SECONDS, Section

LOCK_WAIT_SECONDS = 60.0


@dataclass(frozen=True)
class Plan:
    """How long and how often; the whole takes about four minutes for one card."""

    budget_seconds: float = 450.0
    rest_seconds: float = 6.0
    load_seconds: float = 6.0
    bursts: int = 8
    wave_steps: int = 78
    sweep_steps: int = 25
    pairs: int = 8
    work_seconds: float = 4.0
    runs: int = 10

    def shared(self, cards: int) -> Plan:
        """The plan of each of several cards."""
        if cards <= 1:
            return self
        return replace(
            self,
            rest_seconds=max(3.0, self.rest_seconds / cards),
            load_seconds=max(3.0, self.load_seconds / cards),
            bursts=max(3, self.bursts // cards),
            pairs=max(3, self.pairs // cards),
            work_seconds=max(2.0, self.work_seconds / cards),
            runs=max(3, self.runs // cards),
        )


def check_all(
    count: int, open_load: OpenLoad, plan: Plan, clock: Clock, tell: Callable[[str], None]
) -> Section:
    """Check `count` GPUs, one after the other; what no time was left for is named."""
    until = clock.now() + plan.budget_seconds
    cards = []
    with machine.machine_lock(LOCK_WAIT_SECONDS, tell):
        for number in range(count):
            described = machine.describe_machine(f"cuda:{number}")
            device = next(d for d in described.devices if d.used and d.uuid)
            tell(f"cuda:{number}: {device.name}")
            card = _Card(described, device, plan.shared(count), clock, tell)
            cards.append(card.walk(open_load, number, until))
    return {"cards": cards}


class _Card:
    """The checks of one card; a check that fails is noted with its reason, and the next begins."""

    def __init__(
        self,
        described: Machine,
        device: Device,
        plan: Plan,
        clock: Clock,
        tell: Callable[[str], None],
    ) -> None:
        self._described, self._device, self._plan = described, device, plan
        self._clock, self._tell, self._uuid = clock, tell, device.uuid or ""
        self._found: dict[str, Any] = {"device": device.model_dump(mode="json"), "skipped": []}

    def walk(self, open_load: OpenLoad, number: int, until: float) -> Section:
        plan, uuid, clock = self._plan, self._uuid, self._clock
        site = MeterContext(clock, self._described.devices)
        meters, sensors = open_meters(None, site)
        rig = Instruments(clock, meters)
        self._found["sensors"] = [item.model_dump(mode="json") for item in sensors]
        self._note("at_rest", lambda: sensor.at_rest(uuid, clock, plan.rest_seconds), until, 0)
        rest = self._found["at_rest"]
        step = rest["counter_step_seconds"] or rest["power_update_seconds"] or USUAL_STEP_SECONDS
        load = open_load(number)
        self._found["versions"] = dict(load.versions)
        self._found["temperature_before_celsius"] = _temperature(uuid)
        for name, check, seconds in self._checks(load, rig, step):
            self._note(name, check, until, seconds)
        self._found["temperature_after_celsius"] = _temperature(uuid)
        return self._found

    def _checks(
        self, load: Load, rig: Instruments, step: float
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
                "looking_share",
                lambda: wave.looking_share(uuid, clock, load, step, plan.wave_steps),
                (plan.wave_steps + 40) * step,
            ),
            (
                "repeatability",
                lambda: overhead.repeat(domain, rig, load, units, plan.runs),
                plan.runs * (plan.work_seconds + 2),
            ),
            (
                "overhead",
                lambda: overhead.compare(uuid, clock, rig, load, units, plan.pairs),
                plan.pairs * (2 * plan.work_seconds + 3),
            ),
            (
                "sweep",
                lambda: wave.sweep(uuid, clock, load, step, plan.sweep_steps),
                (9 * (plan.sweep_steps + 8) + 30) * step,
            ),
        ]

    def _note(self, name: str, check: Callable[[], Any], until: float, seconds: float) -> None:
        if self._clock.now() + seconds > until:
            self._found["skipped"].append(f"{name}: no time was left")
            return
        self._tell(f"  {name.replace('_', ' ')}, about {seconds:.0f} s")
        try:
            self._found[name] = check()
        except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable) as failure:
            self._found["skipped"].append(f"{name}: {failure.reason}")


def _temperature(uuid: str) -> float | None:
    try:
        return nvidia_driver.temperature_celsius(uuid)
    except (nvidia_driver.NvmlReadError, nvidia_driver.NvidiaUnavailable):
        return None

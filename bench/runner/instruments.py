"""Meters that can read here, clock, monitor."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.meters import Meter, MeterContext
from bench.results.machine_record import DeviceState, Sensor
from bench.system import registry
from bench.system.clock import Clock


@dataclass(frozen=True)
class OpenMeter:
    """A meter that can read, with what it said of itself."""

    meter: Meter
    sensor: Sensor


def open_meters(
    wanted: str | None, site: MeterContext
) -> tuple[list[OpenMeter], tuple[Sensor, ...]]:
    """Every meter that can read here, slowest sensor first, and what all of them said.

    `wanted` names one meter alone, with what it needs after a colon: "replay:trace.csv". Raises
    ValueError where that one can't read.
    """
    if wanted:
        name, _, argument = wanted.partition(":")
        options = {**site.options, **({"trace": argument} if argument else {})}
        site = MeterContext(site.clock, site.devices, options)
        meter: Meter = registry.load("meter", name).build(site)
        sensor = meter.probe()
        if not sensor.usable:
            raise ValueError(f"the meter {name} can't read here: {sensor.reason}")
        return [OpenMeter(meter, sensor)], (sensor,)
    modules = [registry.load("meter", name) for name in registry.names("meter")]
    built = [module.build(site) for module in modules if not getattr(module, "ON_REQUEST", False)]
    opened = [OpenMeter(meter, meter.probe()) for meter in built]
    usable = [item for item in opened if item.sensor.usable]
    usable.sort(key=lambda item: -(item.sensor.step_seconds or 0.0))
    return usable, tuple(item.sensor for item in opened)


@dataclass(frozen=True)
class Instruments:
    """What a run measures with. `observe` tells the state of the devices after a window.

    `strangers` counts the other programs that compute on each device in use.
    """

    clock: Clock
    meters: tuple[Meter, ...]
    observe: Callable[[], tuple[DeviceState, ...]] = tuple
    strangers: Callable[[], Mapping[str, int]] = dict

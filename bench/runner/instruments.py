"""The instruments of a run: meters that can read here, the clock, the monitor of the devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench.meters import Meter, MeterContext
from bench.results.machine_record import DeviceState, Sensor
from bench.system import registry
from bench.system.clock import Clock


@dataclass(frozen=True)
class Instruments:
    """Clock, meters and monitor of a run.

    `device_states` gives the state of the devices after a window, `foreign_processes` how many
    processes of others compute on each device in use; a domain without any is left out.
    """

    clock: Clock
    meters: tuple[Meter, ...]
    device_states: Callable[[], tuple[DeviceState, ...]] = tuple
    foreign_processes: Callable[[], Mapping[str, int]] = dict


def open_meters(
    name: str | None, context: MeterContext
) -> tuple[tuple[Meter, ...], tuple[Sensor, ...]]:
    """The meters that can read here, slowest sensor first, and the sensors of all meters.

    `name` selects one meter, with its argument after a colon: "replay:trace.csv". Raises
    ValueError where that meter cannot read.
    """
    if name:
        name, _, argument = name.partition(":")
        options = {**context.options, **({"trace": argument} if argument else {})}
        context = MeterContext(context.clock, context.devices, options)
        meter: Meter = registry.load("meter", name).build(context)
        sensor = meter.probe()
        if not sensor.usable:
            raise ValueError(f"the meter {name} cannot read here: {sensor.reason}")
        return (meter,), (sensor,)
    modules = [registry.load("meter", name) for name in registry.names("meter")]
    meters = [m.build(context) for m in modules if not getattr(m, "ON_REQUEST", False)]
    probed = [(meter, meter.probe()) for meter in meters]
    for meter, sensor in probed:
        if sensor is None:
            raise ValueError(f"the meter {meter.name!r} gives no Sensor: its probe() returns None")
    usable = [(meter, sensor) for meter, sensor in probed if sensor.usable]
    usable.sort(key=lambda item: -(item[1].step_seconds or 0.0))
    return tuple(meter for meter, _ in usable), tuple(sensor for _, sensor in probed)


def check_meter_options(options: Mapping[str, str]) -> None:
    """Raises ValueError where no meter has an option of this name."""
    if not options:
        return
    meters = [registry.load("meter", name) for name in registry.names("meter")]
    known = sorted({name for meter in meters for name in getattr(meter, "OPTIONS", ())})
    for name in options:
        if name not in known:
            raise ValueError(f"no meter has an option {name!r}; choose from {', '.join(known)}")

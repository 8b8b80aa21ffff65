"""The sensors of a tracked program: a slow driver, and meters without a cumulative mode."""

from __future__ import annotations

import time

import pytest
from virtual_clock import VirtualClock

from bench.results.machine_record import Sensor
from bench.results.record import Reading
from bench.system import machine
from bench.system.clock import SystemClock
from bench.tracker.sensors import LateWindowReader, SystemSensors

CLOCK = SystemClock()


@pytest.mark.timing
def test_slow_driver_does_not_delay_the_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def slow() -> machine.GpuSnapshot:
        time.sleep(2.0)
        return machine.GpuSnapshot((), "slow")

    monkeypatch.setattr(machine, "snapshot_gpus", slow)
    sensors = SystemSensors("all", CLOCK, {})
    began = time.monotonic()
    sensors.begin()
    assert time.monotonic() - began < 1.0
    assert {r.method for r in sensors.so_far(CLOCK.now())} == {"modelled"}
    assert sensors.describe().devices  # waits for the driver


class SlowMeter:
    """A meter whose probe takes two seconds, and which reads 10 W."""

    name = "slow"

    def __init__(self, clock: VirtualClock) -> None:
        self._clock = clock

    def probe(self) -> Sensor:
        self._clock.sleep(2.0)
        return Sensor(meter="slow", usable=True, domains=("gpu:0",), method="counter")

    def start(self) -> float:
        return self._clock.now()

    def stop(self, token: float, began: float, ended: float) -> tuple[Reading, ...]:
        return (
            Reading(
                domain="gpu:0",
                meter="slow",
                method="counter",
                energy_joules=10.0 * (ended - began),
                standard_uncertainty_joules=0.1,
                duration_seconds=ended - began,
            ),
        )

    def watts(self) -> dict[str, float]:
        return {}


def test_energy_missed_by_a_late_meter_is_in_its_uncertainty() -> None:
    clock = VirtualClock()
    reader = LateWindowReader(SlowMeter(clock), clock)
    reader.open()
    clock.sleep(8.0)
    (reading,) = reader.close(0.0, clock.now())
    assert reading.energy_joules == pytest.approx(100.0)
    assert reading.duration_seconds == pytest.approx(10.0)
    assert reading.low_joules is not None and reading.high_joules is not None
    assert reading.low_joules < 80.0 and reading.high_joules > 120.0


def test_program_that_ends_before_its_sensor_is_known_has_no_energy() -> None:
    clock = VirtualClock()
    reader = LateWindowReader(SlowMeter(clock), clock)
    reader.open()
    (reading,) = reader.close(0.0, 1.0)
    assert reading.energy_joules is None
    assert "before the sensor was known" in reading.warnings[0].message

"""Idle floor, one window, warm-up until steady, how many blocks a window needs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bench.meters import Meter, measured_domains
from bench.results.fields import IdlePhase
from bench.results.machine_record import DeviceState
from bench.results.record import IdleFloor, PowerTrace, Reading
from bench.results.warning_catalogue import make_warning
from bench.runner.instruments import Instruments

T = TypeVar("T")
TRACE_PERIOD_SECONDS = 0.05


@dataclass(frozen=True)
class MeasuredWindow(Generic[T]):
    """One stretch of time: what was done in it, and what it drew."""

    value: T
    began: float
    duration_seconds: float
    readings: tuple[Reading, ...]
    device_states: tuple[DeviceState, ...]
    power_trace: tuple[PowerTrace, ...] = field(default=())


@dataclass(frozen=True)
class OpenWindow:
    """A window that has begun: the marks of all meters, when, and who else was there."""

    marks: tuple[tuple[Meter, Any], ...]
    began: float
    strangers: Mapping[str, int] = field(default_factory=dict)


def open_window(rig: Instruments) -> OpenWindow:
    """Mark all meters; the window begins when this returns."""
    strangers = rig.strangers()
    marks = tuple((meter, meter.start()) for meter in rig.meters)
    return OpenWindow(marks, rig.clock.now(), strangers)


def close_window(rig: Instruments, opened: OpenWindow, value: T = None) -> MeasuredWindow[T]:  # type: ignore[assignment]
    """End the window now, and read all meters.

    A domain that a sensor covers is not reported a second time from a model. What a device drew
    while somebody else computed on it, when the window opened or when it closed, is nobody's
    figure: None, with a warning.
    """
    ended = rig.clock.now()
    readings = [
        reading
        for meter, mark in reversed(opened.marks)
        for reading in meter.stop(mark, opened.began, ended)
    ]
    sensed = measured_domains(readings)
    kept = tuple(r for r in readings if r.method != "modelled" or r.domain not in sensed)
    strangers = {**opened.strangers, **rig.strangers()}
    own = tuple(_own(reading, strangers.get(reading.domain, 0)) for reading in kept)
    return MeasuredWindow(value, opened.began, ended - opened.began, own, rig.observe())


def _own(reading: Reading, strangers: int) -> Reading:
    """A reading as it is, or without a figure where others had their part in it."""
    if not strangers:
        return reading
    why = make_warning("foreign-process", domain=reading.domain, count=strangers)
    nothing = {"energy_joules": None, "standard_uncertainty_joules": None, "warnings": (why,)}
    return reading.model_copy(update=nothing)


def measure_window(rig: Instruments, work: Callable[[], T]) -> MeasuredWindow[T]:
    """Do the work between the marks of all meters. Nothing of ours runs meanwhile."""
    opened = open_window(rig)
    value = work()
    return close_window(rig, opened, value)


def measure_idle(rig: Instruments, seconds: float, when: IdlePhase) -> IdleFloor:
    """What every domain draws while nothing is served, over `seconds`."""
    floor = measure_window(rig, lambda: rig.clock.sleep(seconds))
    return IdleFloor(
        when=when,
        duration_seconds=floor.duration_seconds,
        readings=floor.readings,
        device_states=floor.device_states,
    )


def record_power_trace(rig: Instruments, work: Callable[[], T]) -> MeasuredWindow[T]:
    """Do the work while a thread notes the power: a picture, not a figure."""
    seen: dict[str, list[tuple[float, float]]] = {}
    done = threading.Event()
    began = rig.clock.now()

    def note() -> None:
        while not done.is_set():
            for meter in rig.meters:
                for domain, watts in meter.watts().items():
                    seen.setdefault(domain, []).append((rig.clock.now() - began, watts))
            done.wait(TRACE_PERIOD_SECONDS)

    thread = threading.Thread(target=note, daemon=True)
    thread.start()
    try:
        value = work()
    finally:
        done.set()
        thread.join()
    traces = tuple(
        PowerTrace(domain=domain, seconds=tuple(s for s, _ in on), watts=tuple(w for _, w in on))
        for domain, on in seen.items()
    )
    return MeasuredWindow(value, began, rig.clock.now() - began, (), rig.observe(), traces)

"""One measurement window: open and close it, or record the power over time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bench.meters import Meter, measured_domains
from bench.results.domains import overlap
from bench.results.machine_record import DeviceState
from bench.results.record import PowerTrace, Reading
from bench.results.warning_catalogue import make_warning
from bench.runner.instruments import Instruments

T = TypeVar("T")

TRACE_PERIOD_SECONDS = 0.05


@dataclass(frozen=True)
class MeasuredWindow:
    """One window with the readings of all meters; `began_seconds` is on the instruments' clock."""

    began_seconds: float
    duration_seconds: float
    readings: tuple[Reading, ...]
    device_states: tuple[DeviceState, ...]
    power_trace: tuple[PowerTrace, ...] = ()


@dataclass(frozen=True)
class OpenWindow:
    """A window that has begun: the marks of all meters, its start, the foreign processes then."""

    marks: tuple[tuple[Meter, Any], ...]
    began_seconds: float
    foreign_processes: Mapping[str, int] = field(default_factory=dict)


def open_window(instruments: Instruments) -> OpenWindow:
    """Start all meters; the window begins when this returns."""
    foreign = instruments.foreign_processes()
    marks = tuple((meter, meter.start()) for meter in instruments.meters)
    return OpenWindow(marks, instruments.clock.now(), foreign)


def close_window(instruments: Instruments, opened: OpenWindow) -> MeasuredWindow:
    """End the window now, and stop all meters.

    A modelled reading of energy that is also measured is dropped. A domain on which a foreign
    process computed when the window opened or closed has no figure: None, with a warning.
    """
    ended = instruments.clock.now()
    began = opened.began_seconds
    readings = [
        reading
        for meter, mark in reversed(opened.marks)
        for reading in meter.stop(mark, began, ended)
    ]
    measured = measured_domains(readings)
    foreign = {**opened.foreign_processes, **instruments.foreign_processes()}
    attributed = tuple(
        _without_foreign(reading, foreign.get(reading.domain, 0))
        for reading in readings
        if reading.method != "modelled" or not any(overlap(reading.domain, d) for d in measured)
    )
    return MeasuredWindow(began, ended - began, attributed, instruments.device_states())


def measure_window(instruments: Instruments, work: Callable[[], T]) -> tuple[T, MeasuredWindow]:
    """Do the work in one window; returns its value and the window.

    No code of the benchmark runs meanwhile.
    """
    opened = open_window(instruments)
    value = work()
    return value, close_window(instruments, opened)


def record_power_trace(instruments: Instruments, work: Callable[[], T]) -> tuple[T, MeasuredWindow]:
    """Do the work while a thread records the power of every domain; there are no readings.

    Returns the value of the work, and the window.
    """
    samples: dict[str, list[tuple[float, float]]] = {}
    done = threading.Event()
    clock = instruments.clock
    began = clock.now()

    def record() -> None:
        while not done.is_set():
            for meter in instruments.meters:
                for domain, watts in meter.watts().items():
                    samples.setdefault(domain, []).append((clock.now() - began, watts))
            done.wait(TRACE_PERIOD_SECONDS)

    thread = threading.Thread(target=record, daemon=True)
    thread.start()
    try:
        value = work()
    finally:
        done.set()
        thread.join()
    traces = tuple(
        PowerTrace(
            domain=domain, seconds=tuple(s for s, _ in pairs), watts=tuple(w for _, w in pairs)
        )
        for domain, pairs in samples.items()
    )
    duration = clock.now() - began
    return value, MeasuredWindow(began, duration, (), instruments.device_states(), traces)


def _without_foreign(reading: Reading, foreign_processes: int) -> Reading:
    """The reading as it is, or without a figure where foreign processes shared the device."""
    if not foreign_processes:
        return reading
    warning = make_warning("foreign-process", domain=reading.domain, count=foreign_processes)
    removed = {"energy_joules": None, "standard_uncertainty_joules": None, "warnings": (warning,)}
    return reading.model_copy(update=removed)

"""`Clock`: the machine's time, or a virtual one for tests and simulations."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Time and waiting. Durations come from `now` alone."""

    def now(self) -> float:
        """Seconds on a monotonic scale with an arbitrary zero."""

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`; zero or less returns at once."""

    def utc(self) -> datetime:
        """The calendar time in UTC, for names and stamps, never for durations."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def utc(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """A clock that advances only in `sleep`, by exactly the seconds given.

    `start` is its first time in seconds, `epoch` the calendar time at `start`.
    """

    def __init__(self, start: float = 0.0, epoch: datetime | None = None) -> None:
        self._start = start
        self._now = start
        self._epoch = epoch or datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            self._now += seconds

    def utc(self) -> datetime:
        return self._epoch + timedelta(seconds=self._now - self._start)

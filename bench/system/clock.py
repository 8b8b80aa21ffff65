"""Time and waiting, injected, so that a test runs a three-minute benchmark in milliseconds."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """What the rest of the house knows about time. Durations come from `now` alone."""

    def now(self) -> float:
        """Seconds on a monotonic scale with an arbitrary zero."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait for `seconds`; zero or less returns at once."""
        ...

    def utc(self) -> datetime:
        """The calendar time in UTC, for names and stamps, never for durations."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        return time.perf_counter()

    def sleep(self, seconds: float) -> None:
        if seconds > 0:
            time.sleep(seconds)

    def utc(self) -> datetime:
        return datetime.now(UTC)


class VirtualClock:
    """A clock that moves only when somebody waits on it.

    Times are kept as given, so that a sum of waits is exact to the last digit of a float.
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

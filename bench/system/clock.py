"""`Clock`: the time that a run measures with; `SystemClock` is that of the machine."""

from __future__ import annotations

import time
from datetime import UTC, datetime
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

"""A clock that tests and simulations advance."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


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

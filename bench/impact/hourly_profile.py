"""Carbon intensity by hour of the day, and the hours in which the same work emits least."""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass
from typing import Literal

HOURS = 24
COLUMNS = ("hour", "gco2e_per_kwh")


@dataclass(frozen=True)
class DailyProfile:
    """Carbon intensity, gCO2e/kWh, of the 24 hours of a day; `basis` states what it counts.

    An average profile is the intensity of all electricity in that hour, a marginal one that of one
    more kWh; the two are never compared. The approach of a file that does not state it is
    "unstated".
    """

    intensities: tuple[float, ...]
    approach: Literal["average", "marginal", "unstated"]
    basis: str
    source: str

    @property
    def mean(self) -> float:
        """The mean of the day, in gCO2e/kWh."""
        return math.fsum(self.intensities) / HOURS


@dataclass(frozen=True)
class HourWindow:
    """Consecutive hours from `start` to `end` (0 to 23), past midnight where needed."""

    start: int
    end: int
    intensity: float


def windows(profile: DailyProfile, length: int = 1) -> list[HourWindow]:
    """Windows of `length` hours, least mean first. Raises ValueError unless it is 1 to 24."""
    if not 1 <= length <= HOURS:
        raise ValueError(f"a job of {length} hours does not fit: give 1 to {HOURS}")
    twice = profile.intensities * 2
    means = [math.fsum(twice[hour : hour + length]) / length for hour in range(HOURS)]
    every = [HourWindow(hour, (hour + length) % HOURS, mean) for hour, mean in enumerate(means)]
    return sorted(every, key=lambda window: (window.intensity, window.start))


def read(text: str, name: str) -> DailyProfile:
    """A profile from csv text with the columns hour (0 to 23) and gco2e_per_kwh, one row per hour.

    `name` names the file in messages. Raises ValueError with one sentence for anything else.
    """
    try:
        reader = csv.DictReader(io.StringIO(text))
        if tuple(reader.fieldnames or ()) != COLUMNS:
            columns = ", ".join(reader.fieldnames or ()) or "none"
            raise ValueError(f"{name} needs the columns {', '.join(COLUMNS)}; it has {columns}")
        rows = [(row["hour"], row["gco2e_per_kwh"]) for row in reader]
    except csv.Error as error:
        raise ValueError(f"{name} is not a csv file: {error}") from error
    by_hour: dict[int, float] = {}
    for number, (hour_cell, intensity_cell) in enumerate(rows, start=2):
        place = f"{name}, line {number}"
        hour, intensity = _number(hour_cell, HOURS), _number(intensity_cell, math.inf)
        if hour is None or hour % 1:
            raise ValueError(f"{place}: the hour {hour_cell!r} is not a whole number from 0 to 23")
        if intensity is None:
            raise ValueError(
                f"{place}: {intensity_cell!r} is not a number of zero or more, in gCO2e/kWh"
            )
        if hour in by_hour:
            raise ValueError(f"{place}: hour {hour:.0f} is there twice")
        by_hour[int(hour)] = intensity
    if len(by_hour) != HOURS:
        missing = ", ".join(str(hour) for hour in range(HOURS) if hour not in by_hour)
        raise ValueError(f"{name} lacks the hours {missing}")
    intensities = tuple(by_hour[hour] for hour in range(HOURS))
    return DailyProfile(intensities, "unstated", "as the file states it", name)


def _number(cell: str | None, limit: float) -> float | None:
    """The number in a cell; None if it is not one of zero or more and below `limit`."""
    try:
        number = float(cell or "")
    except ValueError:
        return None
    return number if 0 <= number < limit else None

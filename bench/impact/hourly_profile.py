"""A day of carbon intensity, hour by hour, and when in it the same work emits least."""

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
    """Carbon intensity, gCO2e/kWh, of the 24 hours of a day; what it counts stands in `basis`.

    An average profile says what a kWh holds, a marginal one what one more kWh adds; the two are
    never compared. "unstated" is a file that does not say.
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
    """Some hours in a row, from `start` (0 to 23); a day's end goes over into its beginning."""

    start: int
    length: int
    intensity: float

    @property
    def end(self) -> int:
        """The hour at which the window is over, 0 to 23."""
        return (self.start + self.length) % HOURS


def windows(profile: DailyProfile, length: int = 1) -> list[HourWindow]:
    """Every window of so many whole hours, least intensity first.

    Raises ValueError for a length that is not 1 to 24.
    """
    if not 1 <= length <= HOURS:
        raise ValueError(f"a job of {length} hours does not fit: give 1 to {HOURS}")
    twice = profile.intensities * 2
    found = [HourWindow(h, length, math.fsum(twice[h : h + length]) / length) for h in range(HOURS)]
    return sorted(found, key=lambda window: (window.intensity, window.start))


def read(text: str, name: str) -> DailyProfile:
    """A profile from csv with the columns hour (0 to 23) and gco2e_per_kwh, one row an hour.

    Raises ValueError with one sentence where it is anything else.
    """
    try:
        reader = csv.DictReader(io.StringIO(text))
        if tuple(reader.fieldnames or ()) != COLUMNS:
            have = ", ".join(reader.fieldnames or ()) or "none"
            raise ValueError(f"{name} needs the columns {', '.join(COLUMNS)}; it has {have}")
        rows = [(row["hour"], row["gco2e_per_kwh"]) for row in reader]
    except csv.Error as error:
        raise ValueError(f"{name} is not a csv file: {error}") from error
    found: dict[int, float] = {}
    for line, (hour, value) in enumerate(rows, start=2):
        key = _hour(hour, f"{name}, line {line}")
        if key in found:
            raise ValueError(f"{name}, line {line}: hour {key} is there twice")
        found[key] = _intensity(value, f"{name}, line {line}")
    if len(found) != HOURS:
        missing = ", ".join(str(h) for h in range(HOURS) if h not in found)
        raise ValueError(f"{name} lacks the hours {missing}")
    values = tuple(found[hour] for hour in range(HOURS))
    return DailyProfile(values, "unstated", "as the file gives it", name)


def _hour(cell: str | None, where: str) -> int:
    try:
        hour = int(cell or "")
    except ValueError:
        hour = -1
    if not 0 <= hour < HOURS:
        raise ValueError(f"{where}: the hour {cell!r} is not a whole number from 0 to 23")
    return hour


def _intensity(cell: str | None, where: str) -> float:
    try:
        value = float(cell or "")
    except ValueError:
        value = -1.0
    if not 0 <= value < math.inf:
        raise ValueError(f"{where}: {cell!r} is not an intensity of zero or more, in gCO2e/kWh")
    return value

"""Figures as people read them: as many digits as the interval carries, and a unit that fits."""

from __future__ import annotations

import math
import unicodedata

from bench.records import Estimate

ENERGY_UNITS = (("kWh", 1.0), ("Wh", 1e-3), ("mWh", 1e-6), ("µWh", 1e-9))
MASS_UNITS = (("t", 1e6), ("kg", 1e3), ("g", 1.0), ("mg", 1e-3), ("µg", 1e-6))
TIME_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
MISSING = "—"
# How a unit is read, and what 1,000 inferences make; other units are read as they are written.
UNITS = {"audio-second": "second of audio", "video-second": "second of video"}
THINGS = {"image": "images", "token": "generations", "video-second": "videos"}


def number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits, thousands set apart: 8.33, 1,240, 0.00052."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else MISSING
    if not 1e-6 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    return fixed(value, digits - 1 - _exponent(round_to(value, digits)))


def fixed(value: float, decimals: int) -> str:
    """A number with so many decimals (negative ones round to tens, hundreds …)."""
    return f"{round(value, decimals):,.{max(0, decimals)}f}"


def decimals(estimate: Estimate, scale: float = 1.0) -> int:
    """How many decimals an estimate carries: two digits of its half-width, at most 4 in all."""
    value = abs(estimate.value / scale)
    half = (estimate.high - estimate.low) / 2 / scale
    most = 3 - _exponent(value) if value > 0 else 0
    if half <= 0:
        return most - 1
    return max(min(1 - _exponent(half), most), min(0, 2 - _exponent(value)) if value > 0 else 0)


def span(estimate: Estimate | None, scale: float = 1.0) -> tuple[str, str, str]:
    """(value, low, high) with the same decimals, after division by `scale`; dashes if missing."""
    if estimate is None:
        return MISSING, MISSING, MISSING
    places = decimals(estimate, scale)
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (fixed(end / scale, places) for end in ends)
    return value, low, high


def gross(
    estimate: Estimate | None, scale: float = 1.0, scale_error: float | None = None
) -> tuple[str, str, str]:
    """As `span`, of what can't be below zero, such as a time: an end down there is "0".

    With a relative `scale_error`, no more digits than that leaves.
    """
    if estimate is None:
        return MISSING, MISSING, MISSING
    value, low, high = (end / scale for end in (estimate.value, estimate.low, estimate.high))
    if scale_error is None:
        return _from_zero(value, low, high, decimals(estimate, scale))
    return _from_zero(
        value, low, high, _few(value, math.hypot((high - low) / 2, scale_error * value))
    )


def rough(value: float, low: float, high: float) -> tuple[str, str, str]:
    """(value, low, high) for a reader who wants the size of a thing; an end below zero is "0"."""
    if value and not 1e-6 <= abs(value) < 1e9:
        return number(value, 2), number(max(0.0, low), 2), number(high, 2)
    return _from_zero(value, low, high, _few(value, (high - low) / 2))


def percent(share: float) -> str:
    """A share as percent with one decimal, which all and nothing don't need: "93.0", "100"."""
    text = f"{100 * share:.1f}"
    return text.removesuffix(".0") if share in (0.0, 1.0) else text


def energy_unit(kwh: float) -> tuple[str, float]:
    """The unit in which an energy in kWh is easy to read, and how many kWh it holds."""
    return _fitting(kwh, ENERGY_UNITS)


def mass_unit(grams: float) -> tuple[str, float]:
    """The unit in which a mass in grams is easy to read, and how many grams it holds."""
    return _fitting(grams, MASS_UNITS)


def time_unit(seconds: float) -> tuple[str, float]:
    """The unit in which a duration in seconds is easy to read, and how many seconds it holds."""
    return _fitting(seconds, TIME_UNITS)


def unit(name: str) -> str:
    """The unit of a task as it is read: "token", "second of audio"."""
    return UNITS.get(name, name)


def things(name: str) -> str:
    """What 1,000 inferences of a task with this unit make: "images", "generations"."""
    return THINGS.get(name, "inferences")


def count(value: int | None) -> str:
    """A number of parameters in words: "3.1 M", "860 M", "7 B"."""
    if value is None:
        return MISSING
    for name, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= 0.9995 * size:
            return f"{number(value / size, 3).removesuffix('.00').removesuffix('.0')} {name}"
    return str(value)


def made_of(
    dtype: str | None, engine: str | None, batch_size: int | None, steps: int | None
) -> str:
    """How a model was run, in a line: "float32 · diffusers · batch 1 · 20 steps"."""
    parts = (
        dtype,
        engine,
        None if batch_size is None else f"batch {batch_size}",
        None if steps is None else f"{steps} step{'' if steps == 1 else 's'}",
    )
    return " · ".join(visible(part) for part in parts if part)


def round_to(value: float, digits: int) -> float:
    """A number rounded to so many significant digits."""
    return round(value, digits - 1 - _exponent(value))


def visible(text: str) -> str:
    """A stranger's text on one line, without characters that hide or turn what stands beside."""
    if text.isprintable():
        return text
    spaced = (" " if character.isspace() else character for character in text)
    return "".join("�" if unicodedata.category(c)[0] == "C" else c for c in spaced)


def _few(value: float, half: float) -> int:
    """How many decimals: two digits of the value, more if the half-width leaves them."""
    places = 1 - _exponent(round_to(value, 2))
    return max(places, min(-_exponent(half), 3 - _exponent(value))) if half > 0 else places


def _from_zero(value: float, low: float, high: float, places: int) -> tuple[str, str, str]:
    lowest = fixed(low, places) if round(low, places) > 0 else "0"
    return fixed(value, places) if value else "0", lowest, fixed(high, places)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _fitting(value: float, units: tuple[tuple[str, float], ...]) -> tuple[str, float]:
    return next((unit for unit in units if abs(value) >= unit[1]), units[-1] if value else units[0])

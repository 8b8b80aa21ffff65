"""Numbers, units and labels as text."""

from __future__ import annotations

import math
import unicodedata

from bench.results.calibration import half_width_with_calibration
from bench.results.interval import Interval
from bench.results.record import Estimate

ENERGY_UNITS = (("kWh", 1.0), ("Wh", 1e-3), ("mWh", 1e-6), ("µWh", 1e-9))
MASS_UNITS = (("Mt", 1e12), ("t", 1e6), ("kg", 1e3), ("g", 1.0), ("mg", 1e-3), ("µg", 1e-6))
TIME_UNITS = (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6))
MISSING = "—"

# Labels of units, and what 1,000 inferences produce; other units are their own label.
UNITS = {"audio-second": "second of audio", "video-second": "second of video"}
OUTPUTS = {"image": "images", "token": "generations", "video-second": "videos"}


def format_number(value: float, digits: int = 3) -> str:
    """A number with so many significant digits and thousands separators: 8.33, 1,240, 0.00052."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else MISSING
    if not 1e-6 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    return format_fixed(value, digits - 1 - _exponent(round_to(value, digits)))


def format_fixed(value: float, decimals: int) -> str:
    """A number with so many decimals; a negative count rounds to tens, hundreds …."""
    return f"{round(value, decimals):,.{max(0, decimals)}f}"


def decimals(estimate: Estimate, scale: float = 1.0) -> int:
    """Decimals of an estimate: two digits of its half-width, at most four digits in all."""
    value = abs(estimate.value / scale)
    half = (estimate.high - estimate.low) / 2 / scale
    most = 3 - _exponent(value) if value > 0 else 0
    if half <= 0:
        return most - 1
    return max(min(1 - _exponent(half), most), min(0, 2 - _exponent(value)) if value > 0 else 0)


def format_interval(estimate: Estimate | None, scale: float = 1.0) -> tuple[str, str, str]:
    """(value, low, high) with the same decimals, after division by `scale`; dashes if missing."""
    if estimate is None:
        return MISSING, MISSING, MISSING
    places = decimals(estimate, scale)
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (format_fixed(end / scale, places) for end in ends)
    return value, low, high


def format_nonnegative(
    estimate: Estimate | None, scale: float = 1.0, scale_error: float | None = None
) -> tuple[str, str, str]:
    """As `format_interval`, for a quantity that is never below zero: a lower end is "0".

    A relative `scale_error`, the calibration of a model, leaves fewer digits.
    """
    if estimate is None:
        return MISSING, MISSING, MISSING
    value, low, high = (end / scale for end in (estimate.value, estimate.low, estimate.high))
    half = half_width_with_calibration(estimate, scale_error or 0.0) / scale
    places = decimals(estimate, scale) if scale_error is None else _decimals_for(value, half)
    return _from_zero(value, low, high, places)


def format_rough(value: float, low: float, high: float) -> tuple[str, str, str]:
    """(value, low, high) with two digits of the value; an end below zero is "0"."""
    if value and not 1e-6 <= abs(value) < 1e9:
        return format_number(value, 2), format_number(max(0.0, low), 2), format_number(high, 2)
    return _from_zero(value, low, high, _decimals_for(value, (high - low) / 2))


def format_percent(share: float) -> str:
    """A fraction as percent with one decimal, without it at 0 and 1: "93.0", "100"."""
    text = f"{100 * share:.1f}"
    return text.removesuffix(".0") if share in (0.0, 1.0) else text


def energy_unit(kwh: float) -> tuple[str, float]:
    """The unit for an energy in kWh with at least one digit before the point, and its kWh."""
    return _largest_unit(kwh, ENERGY_UNITS)


def mass_unit(grams: float) -> tuple[str, float]:
    """The unit for a mass in grams with at least one digit before the point, and its grams."""
    return _largest_unit(grams, MASS_UNITS) if grams else ("g", 1.0)


def time_unit(seconds: float) -> tuple[str, float]:
    """The unit for a duration in seconds, up to seconds, and how many seconds it is."""
    return _largest_unit(seconds, TIME_UNITS)


def unit_label(name: str) -> str:
    """The label of a task's unit: "token", "second of audio"."""
    return UNITS.get(name, name)


def unit_plural(name: str) -> str:
    """The outputs of 1,000 inferences of a task with this unit: "images", "generations"."""
    return OUTPUTS.get(name, "inferences")


def format_count(value: int | None) -> str:
    """A number of parameters as text: "3.1 M", "860 M", "7 B"."""
    if value is None:
        return MISSING
    for name, size in (("T", 1e12), ("B", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= 0.9995 * size:
            return f"{format_number(value / size, 3).removesuffix('.00').removesuffix('.0')} {name}"
    return str(value)


def run_label(
    dtype: str | None, engine: str | None, batch_size: int | None, steps: int | None
) -> str:
    """The settings of a run in one line: "float32 · diffusers · batch 1 · 20 steps"."""
    parts = (
        dtype,
        engine,
        None if batch_size is None else f"batch {batch_size}",
        None if steps is None else f"{steps} step{'' if steps == 1 else 's'}",
    )
    return " · ".join(printable(part) for part in parts if part)


def round_to(value: float, digits: int) -> float:
    """A number rounded to so many significant digits."""
    return round(value, digits - 1 - _exponent(value))


def printable(text: str) -> str:
    """Untrusted text on one line, without control, format and bidirectional characters."""
    if text.isprintable():
        return text
    spaced = (" " if character.isspace() else character for character in text)
    return "".join("�" if unicodedata.category(c)[0] == "C" else c for c in spaced)


def large_energy_unit(kwh: float) -> tuple[str, float]:
    """As `energy_unit`, with MWh, GWh and TWh for the energy of a service or a training."""
    large = (("TWh", 1e9), ("GWh", 1e6), ("MWh", 1e3))
    return next((unit for unit in large if kwh >= unit[1]), energy_unit(kwh))


def large_number_text(figure: Interval, digits: int = 3) -> str:
    """A large number as text: "79.0 (44.9 to 327) billion"."""
    names = (("trillion", 1e12), ("billion", 1e9), ("million", 1e6), ("", 1.0))
    name, size = next((n for n in names if figure.value * (1 + 1e-9) >= n[1]), names[-1])
    return f"{interval_text(figure / size, '', digits)} {name}".strip()


def interval_text(figure: Interval, unit: str = "", digits: int = 3) -> str:
    """An interval as text: "24.7 t", "19.2 (12.4 to 26.1) t", "592,570,000"."""
    tail = f" {unit}" if unit else ""
    if figure.exact:
        large = 10**digits <= abs(figure.value) < 1e12
        number = f"{figure.value:,.0f}" if large else format_number(figure.value, digits)
        return f"{number}{tail}"
    value, low, high = (format_number(e, digits) for e in (figure.value, figure.low, figure.high))
    ends = f"{low} to {high}" if math.isfinite(figure.high) else f"{low} or more"
    return f"{value} ({ends}){tail}"


def energy_text(kwh: float, digits: int = 2) -> str:
    """An energy in kWh as "8.3 Wh"."""
    unit, size = energy_unit(kwh * (1 + 1e-9))
    return f"{format_number(kwh / size, digits).removesuffix('.0')} {unit}"


def _decimals_for(value: float, half: float) -> int:
    """Decimals: two digits of the value, more where the half-width allows them."""
    places = 1 - _exponent(round_to(value, 2))
    return max(places, min(-_exponent(half), 3 - _exponent(value))) if half > 0 else places


def _from_zero(value: float, low: float, high: float, places: int) -> tuple[str, str, str]:
    lowest = format_fixed(low, places) if round(low, places) > 0 else "0"
    return format_fixed(value, places) if value else "0", lowest, format_fixed(high, places)


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def _largest_unit(value: float, units: tuple[tuple[str, float], ...]) -> tuple[str, float]:
    return next((unit for unit in units if abs(value) >= unit[1]), units[-1] if value else units[0])

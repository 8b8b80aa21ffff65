"""`ThrottleReason`: why a GPU's clocks are below their maximum, as NVIDIA's driver reports it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class ThrottleReason(StrEnum):
    """Reasons for reduced clocks (NVML API reference, `nvmlClocksEventReasons`) and clock settings.

    The last two are settings, not events: application clocks that differ from their default, and
    clocks locked to a range.
    """

    hw_slowdown = "hw_slowdown"
    hw_thermal_slowdown = "hw_thermal_slowdown"
    hw_power_brake_slowdown = "hw_power_brake_slowdown"
    sw_power_cap = "sw_power_cap"
    sw_thermal_slowdown = "sw_thermal_slowdown"
    application_clocks = "application_clocks"
    locked_clocks = "locked_clocks"


HARDWARE_REASONS = frozenset(reason for reason in ThrottleReason if reason.startswith("hw_"))
CLOCK_SETTINGS = {
    ThrottleReason.application_clocks: "application clocks",
    ThrottleReason.locked_clocks: "locked clocks",
}


def clock_settings_label(reasons: Iterable[ThrottleReason]) -> str:
    """The clock settings among these reasons as text, "application clocks"; empty without one."""
    return ", ".join(CLOCK_SETTINGS[reason] for reason in reasons if reason in CLOCK_SETTINGS)

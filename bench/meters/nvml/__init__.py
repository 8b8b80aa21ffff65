"""The meter of NVIDIA GPUs: `build`, and the options that it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.meters.nvml.meter import NvmlMeter

if TYPE_CHECKING:
    from bench.meters import MeterContext

OPTIONS = ("nvml_counter_duty", "nvml_power_duty", "nvml_back_to_back", "nvml_mig")


def build(context: MeterContext) -> NvmlMeter:
    """The meter of the context's NVIDIA GPUs."""
    return NvmlMeter(context)

"""Plug-in (`build`, `OPTIONS`); start and stop over all GPUs, cumulative mode."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bench.meters.nvml.meter import NvmlMeter

if TYPE_CHECKING:
    from bench.meters import MeterContext

OPTIONS = ("nvml_counter_duty", "nvml_power_duty", "nvml_back_to_back", "nvml_mig")


def build(site: MeterContext) -> NvmlMeter:
    """The meter of this site's NVIDIA GPUs."""
    return NvmlMeter(site)

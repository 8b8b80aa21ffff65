"""The meter of NVIDIA GPUs: `build`, and the options that it takes."""

from bench.meters.nvml.meter import NvmlMeter

OPTIONS = (
    *("nvml_counter_duty", "nvml_power_duty", "nvml_tail_watts"),
    *("nvml_back_to_back", "nvml_mig"),
)
build = NvmlMeter

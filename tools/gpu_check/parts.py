"""The two parts of the GPU check: describe the machine, check, write the records."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.system import machine
from bench.system.clock import SystemClock
from tools.gpu_check import battery as runs
from tools.gpu_check import battery_page, sensor_checks, sensor_page
from tools.gpu_check.load import CudaLoad, OpenLoad, gpu_count
from tools.gpu_check.published import select_entries
from tools.gpu_check.record import head, write


def log(text: str) -> None:
    """Print progress to standard error."""
    print(text, file=sys.stderr, flush=True)


def sensor(
    out: Path,
    count: int | None = None,
    open_load: OpenLoad = CudaLoad,
    plan: sensor_checks.Plan | None = None,
) -> tuple[Path, Path]:
    """Check the sensors of `count` GPUs, of all that torch can use if None.

    Returns the paths of the JSON and the Markdown record. Raises ValueError without a GPU.
    """
    count = gpu_count() if count is None else count
    if not count:
        raise ValueError("torch can use no NVIDIA GPU here, and the sensor part needs one")
    clock = SystemClock()
    record = head("sensor", machine.describe_machine("all"), clock)
    record |= sensor_checks.check_all(count, open_load, plan or sensor_checks.Plan(), clock, log)
    return write(record, sensor_page.page(record), out)


def battery(arguments: argparse.Namespace) -> tuple[Path, Path]:
    """Run the published workloads. Raises ValueError where the device or a model is unknown."""
    clock = SystemClock()
    tiny = arguments.budget == "tiny"
    try:
        seconds = 0.0 if tiny else float(arguments.budget)
    except ValueError:
        raise ValueError(
            f"--budget is a number of seconds or tiny, not {arguments.budget!r}"
        ) from None
    names = arguments.models.split(",") if arguments.models else None
    described = machine.describe_machine(arguments.device)
    record = head("battery", described, clock)
    record |= runs.run_all(arguments.device, described, select_entries(names), seconds, clock, log)
    return write(record, battery_page.page(record), arguments.out)

"""The two parts of the GPU check from beginning to end: look, check, write the records."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.system import machine
from bench.system.clock import SystemClock
from tools.gpu_check import battery as runs
from tools.gpu_check import battery_page, cards, sensor_page
from tools.gpu_check.load import CudaLoad, OpenLoad, gpu_count
from tools.gpu_check.published import chosen
from tools.gpu_check.record import head, write


def say(text: str) -> None:
    """Progress, for a person."""
    print(text, file=sys.stderr, flush=True)


def sensor(
    out: Path,
    count: int | None = None,
    open_load: OpenLoad = CudaLoad,
    plan: cards.Plan | None = None,
) -> tuple[Path, Path]:
    """Check the sensors of `count` GPUs, all that torch can use if None. Raises ValueError."""
    count = gpu_count() if count is None else count
    if not count:
        raise ValueError("torch can use no NVIDIA GPU here, and the sensor part needs one")
    clock = SystemClock()
    record = head("sensor", machine.describe_machine("all"), clock)
    record |= cards.check_all(count, open_load, plan or cards.Plan(), clock, say)
    return write(record, sensor_page.page(record), out)


def battery(asked: argparse.Namespace) -> tuple[Path, Path]:
    """Run the published workloads. Raises ValueError where the device or a model is unknown."""
    clock = SystemClock()
    tiny = asked.budget == "tiny"
    try:
        seconds = 0.0 if tiny else float(asked.budget)
    except ValueError:
        raise ValueError(f"--budget is a number of seconds or tiny, not {asked.budget!r}") from None
    names = asked.models.split(",") if asked.models else None
    described = machine.describe_machine(asked.device)
    record = head("battery", described, clock)
    record |= runs.run_all(asked.device, described, chosen(names), seconds, clock, say)
    return write(record, battery_page.page(record), asked.out)

"""One tool on one simulated GPU in a process of its own; one line of JSON a window.

Run as: worker.py '{"tool": …, "profile": …, "options": {…}, "segments": [[seconds, seed, count] …],
"fault": name or null}' with the driver first in LD_LIBRARY_PATH and JOULEBENCH_SIMULATED_GPUS
naming a file to make. It prints "ready" once the tool is open and waits for a line of input.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parent))

from meters import TOOLS, Outcome, Tool
from simulated_nvml import PROFILES, World

REST_SECONDS = 0.6  # between two windows: the GPU idles, as before a run's trials
KEPT_SECONDS = 5.0  # of the true power before a window; no tool reads further back


class LogWarnings(logging.Handler):
    """Collects the warnings that a tool logs."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []
        logging.captureWarnings(True)
        self.attach()

    def attach(self) -> None:
        """Attach to the tools' loggers; again after a tool was opened, which may add loggers."""
        for name in (None, "codecarbon", "zeus"):
            logging.getLogger(name).addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        message = record.getMessage()
        if "Multiple instances of codecarbon" not in message and message not in self.messages:
            self.messages.append(message)


def attempt(end: Any, began: float, ended: float) -> tuple[Outcome, str | None]:
    """The tool's outcome, and the text of the exception if it raised one."""
    try:
        return end(began, ended), None
    except Exception as error:  # noqa: BLE001 (any exception of a tool is its result)
        return Outcome(None), f"{type(error).__name__}: {error}"


def cpu_seconds() -> float:
    """CPU time of this process and its children so far; that of the children in ticks of 10 ms."""
    import psutil

    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return time.process_time() + sum(t.user + t.system for t in times)


def inject_fault(world: World, name: str, when: float) -> None:
    """Let the simulated GPU fail at this time."""
    if name == "lost":
        world.change(0, lost_at=when)
    elif name == "forbidden":
        world.change(0, forbidden=1.0)
    elif name == "reset":
        world.change(0, reset_at=when)
    elif name == "frozen":
        world.change(0, step=1e6, jitter=0.0, phase=when)


def measure_window(
    tool: Tool,
    world: World,
    warnings: LogWarnings,
    seconds: float,
    rng: random.Random,
    fault: str | None,
) -> dict[str, Any]:
    """One window, with the true energy between the return of `begin` and the call of `end`."""
    now = time.perf_counter
    called = now()
    _, raised = attempt(lambda *_: tool.begin(), 0.0, 0.0)
    began = now()
    world.busy(0, began, seconds, rng)
    spent = cpu_seconds() if seconds >= 20 else 0.0
    time.sleep(seconds / 2)
    if fault:
        inject_fault(world, fault, now())
    time.sleep(max(0.0, began + seconds - now()))
    spent = cpu_seconds() - spent if seconds >= 20 else 0.0
    ended = now()
    world.idle(0, ended)
    outcome = Outcome(None)
    if raised is None:
        outcome, raised = attempt(tool.end, began, ended)
    return {
        "true_joules": world.joules(0, began, ended),
        **dataclasses.asdict(outcome),
        "warned": warnings.messages,
        "raised": raised,
        "begin_seconds": began - called,
        "end_seconds": now() - ended,
        "cpu_seconds": spent,
    }


def exit_now() -> None:
    """Exit without waiting for processes and threads that some tools leave running."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        child.kill()
    sys.stdout.flush()
    os._exit(0)


def main(job: dict[str, Any]) -> None:
    path = Path(os.environ["JOULEBENCH_SIMULATED_GPUS"])
    gpu = PROFILES[job["profile"]]
    if job["fault"] == "forbidden from the start":
        gpu = gpu.with_values(forbidden=1.0)
    world = World(path, [gpu], time.perf_counter(), job["segments"][0][1])
    label = {"tool": job["tool"], "profile": job["profile"], "fault": job["fault"]}
    warnings = LogWarnings()
    start = time.perf_counter()
    try:
        tool = TOOLS[job["tool"]](job["options"])
    except Exception as error:  # noqa: BLE001 (any exception of a tool is its result)
        print("ready", flush=True)
        raised = f"{type(error).__name__}: {error}"
        print(json.dumps({**label, "length": None, "raised": raised}), flush=True)
        return
    label["open_seconds"] = time.perf_counter() - start
    warnings.attach()
    print("ready", flush=True)
    sys.stdin.readline()
    for length, seed, count in job["segments"]:
        rng = random.Random(seed)
        for _ in range(count):
            time.sleep(REST_SECONDS + 0.1 * rng.random())
            seconds = length * rng.uniform(1, 1.2)
            world.drop_history(0, time.perf_counter() - KEPT_SECONDS)
            row = measure_window(tool, world, warnings, seconds, rng, job["fault"])
            warnings.messages = []
            print(json.dumps({**label, "length": length, **row}), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
    exit_now()

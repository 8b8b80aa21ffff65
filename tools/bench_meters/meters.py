"""The tools under comparison, behind one shape: open, begin, end -> joules. Imports are lazy.

Runs in the project's environment for ours, the plain difference and plain polling, and in the
peers' throw-away environment for the others.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

JOULES_PER_KWH = 3.6e6
OURS = "JouleBench"


@dataclass(frozen=True)
class Outcome:
    """What a tool says of a window: joules or None, its own standard uncertainty, its words."""

    joules: float | None
    uncertainty: float | None = None
    words: str = ""


class Tool(Protocol):
    def begin(self) -> None: ...

    def end(self, began: float, ended: float) -> Outcome: ...


class Ours:
    """The meter of a run, opened on the first GPU; the options are the run's."""

    def __init__(self, options: dict[str, str]) -> None:
        from bench.meters import MeterContext
        from bench.meters.nvml import build
        from bench.results.machine_record import Device
        from bench.system import nvidia_driver
        from bench.system.clock import SystemClock

        gpu = nvidia_driver.list_gpus()[0]
        device = Device(domain="gpu:0", name=gpu.name, mig_enabled=gpu.mig_enabled).with_uuid(gpu.uuid)
        self._meter = build(MeterContext(SystemClock(), (device,), options))
        self._sensor = self._meter.probe()
        self._mark: Any = None

    def begin(self) -> None:
        self._mark = self._meter.start()

    def end(self, began: float, ended: float) -> Outcome:
        (reading,) = self._meter.stop(self._mark, began, ended)
        words = "; ".join(f"`{warning.code}`: {warning.message}" for warning in reading.warnings)
        return Outcome(reading.energy_joules, reading.standard_uncertainty_joules, words)


class Zeus:
    """ZeusMonitor; there is no computation to synchronise with on a simulated card."""

    def __init__(self, options: dict[str, str]) -> None:
        from zeus.monitor import ZeusMonitor

        self._monitor = ZeusMonitor(gpu_indices=[0], cpu_indices=[])

    def begin(self) -> None:
        self._monitor.begin_window("window", sync_execution=False, restart=True)

    def end(self, began: float, ended: float) -> Outcome:
        result = self._monitor.end_window("window", sync_execution=False)
        return Outcome(result.gpu_energy.get(0))


class CodeCarbon:
    """A tracker for each window, as its guide shows; offline, so that it needs no network."""

    def __init__(self, options: dict[str, str]) -> None:
        self._tracker = self._new()
        self._tracker.start()  # the first finds the hardware, which takes seconds
        self._tracker.stop()

    def _new(self) -> Any:
        from codecarbon import OfflineEmissionsTracker

        return OfflineEmissionsTracker(
            country_iso_code="FRA",
            save_to_file=False,
            log_level="warning",
            allow_multiple_runs=True,
        )

    def begin(self) -> None:
        self._tracker = self._new()
        self._tracker.start()

    def end(self, began: float, ended: float) -> Outcome:
        self._tracker.stop()
        return Outcome(self._tracker.final_emissions_data.gpu_energy * JOULES_PER_KWH)


class Optimum:
    """The energy tracker of optimum-benchmark: CodeCarbon's, one task a window, 1 s sampling."""

    def __init__(self, options: dict[str, str]) -> None:
        from optimum_benchmark.trackers.energy import EnergyTracker

        # Its backend would synchronise with torch; the simulated card knows no CUDA.
        self._tracker = EnergyTracker(device="cuda", backend="simulated", device_ids=[0])
        self._window: Any = None
        self.begin()  # the first finds the hardware, which takes seconds
        self._window.__exit__(None, None, None)

    def begin(self) -> None:
        self._window = self._tracker.track(task_name="window")
        self._window.__enter__()

    def end(self, began: float, ended: float) -> Outcome:
        self._window.__exit__(None, None, None)
        return Outcome(self._tracker.get_energy().gpu * JOULES_PER_KWH)


class _Plain:
    def __init__(self, options: dict[str, str]) -> None:
        import pynvml

        pynvml.nvmlInit()
        self._nvml = pynvml
        self._handle = pynvml.nvmlDeviceGetHandleByIndex(0)


class Polling(_Plain):
    """nvmlDeviceGetPowerUsage at both ends and every 100 ms between, joined by straight lines."""

    period_seconds = 0.1

    def _look(self) -> None:
        watts = self._nvml.nvmlDeviceGetPowerUsage(self._handle) / 1000
        self._looks.append((time.perf_counter(), watts))

    def _run(self) -> None:
        while not self._done.wait(self.period_seconds):
            with contextlib.suppress(self._nvml.NVMLError):
                self._look()

    def begin(self) -> None:
        self._looks: list[tuple[float, float]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._look()
        self._thread.start()

    def end(self, began: float, ended: float) -> Outcome:
        self._done.set()
        self._thread.join()
        self._look()
        pairs = zip(self._looks, self._looks[1:], strict=False)
        return Outcome(sum(0.5 * (w + w2) * (t2 - t) for (t, w), (t2, w2) in pairs))


class Difference(_Plain):
    """The energy counter before and after."""

    def _joules(self) -> float:
        return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1000

    def begin(self) -> None:
        self._before = self._joules()

    def end(self, began: float, ended: float) -> Outcome:
        return Outcome(self._joules() - self._before)


TOOLS: dict[str, Any] = {
    OURS: Ours,
    "Zeus": Zeus,
    "CodeCarbon": CodeCarbon,
    "optimum-benchmark": Optimum,
    "polling": Polling,
    "counter difference": Difference,
}
OF_THE_PEERS = {"Zeus", "CodeCarbon", "optimum-benchmark"}
IMPORTS = {
    OURS: "import bench.meters.nvml",
    "Zeus": "from zeus.monitor import ZeusMonitor",
    "CodeCarbon": "from codecarbon import EmissionsTracker",
    "optimum-benchmark": "from optimum_benchmark.trackers.energy import EnergyTracker",
    "polling": "import pynvml",
    "counter difference": "import pynvml",
}

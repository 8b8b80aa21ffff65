"""The tools under comparison, with one interface: open, begin, end -> joules. Imports are lazy.

Runs in the project's environment for our meter, the plain difference and plain polling, and in the
peers' temporary environment for the others.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from typing import Any, Protocol

JOULES_PER_KWH = 3.6e6
JOULEBENCH = "JouleBench"


@dataclass(frozen=True)
class Outcome:
    """A tool's result: joules or None, its 95 % interval if it states one, its messages."""

    joules: float | None
    interval: tuple[float, float] | None = None
    message: str = ""


class Tool(Protocol):
    """A tool that is open: `begin` starts a window, `end` ends it."""

    def begin(self) -> None:
        """Begin a window."""
        ...

    def end(self, began: float, ended: float) -> Outcome:
        """End the window; only our meter needs its times (s)."""
        ...


class JouleBench:
    """The meter of a run on the first GPU, with the options of a run."""

    def __init__(self, options: dict[str, str]) -> None:
        from bench.meters import MeterContext
        from bench.meters.nvml import build
        from bench.results.machine_record import Device
        from bench.system import nvidia_driver
        from bench.system.clock import SystemClock

        gpu = nvidia_driver.list_gpus()[0]
        device = Device(domain="gpu:0", name=gpu.name, mig_enabled=gpu.mig_enabled).with_uuid(
            gpu.uuid
        )
        self._meter = build(MeterContext(SystemClock(), (device,), options))
        self._meter.probe()
        self._token: Any = None

    def begin(self) -> None:
        self._token = self._meter.start()

    def end(self, began: float, ended: float) -> Outcome:
        (reading,) = self._meter.stop(self._token, began, ended)
        message = "; ".join(f"`{warning.code}`: {warning.message}" for warning in reading.warnings)
        low, high = reading.low_joules, reading.high_joules
        interval = None if low is None or high is None else (low, high)
        return Outcome(reading.energy_joules, interval, message)


class Zeus:
    """ZeusMonitor; there is no computation to synchronise with on a simulated GPU."""

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
        self._tracker.start()  # the first one detects the hardware, which takes seconds
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

        # Its backend would synchronise with torch; the simulated GPU has no CUDA.
        self._tracker = EnergyTracker(device="cuda", backend="simulated", device_ids=[0])
        self._window: Any = None
        self.begin()  # the first one detects the hardware, which takes seconds
        self._window.__exit__(None, None, None)

    def begin(self) -> None:
        self._window = self._tracker.track(task_name="window")
        self._window.__enter__()

    def end(self, began: float, ended: float) -> Outcome:
        self._window.__exit__(None, None, None)
        return Outcome(self._tracker.get_energy().gpu * JOULES_PER_KWH)


class _Nvml:
    """Opens the first GPU through pynvml."""

    def __init__(self, options: dict[str, str]) -> None:
        import pynvml

        pynvml.nvmlInit()
        self._nvml = pynvml
        self._handle = pynvml.nvmlDeviceGetHandleByIndex(0)


class Polling(_Nvml):
    """nvmlDeviceGetPowerUsage at both ends and every 100 ms between, joined by straight lines."""

    period_seconds = 0.1

    def _sample(self) -> None:
        watts = self._nvml.nvmlDeviceGetPowerUsage(self._handle) / 1000
        self._samples.append((time.perf_counter(), watts))

    def _run(self) -> None:
        while not self._done.wait(self.period_seconds):
            with contextlib.suppress(self._nvml.NVMLError):
                self._sample()

    def begin(self) -> None:
        self._samples: list[tuple[float, float]] = []
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._sample()
        self._thread.start()

    def end(self, began: float, ended: float) -> Outcome:
        self._done.set()
        self._thread.join()
        self._sample()
        pairs = zip(self._samples, self._samples[1:], strict=False)
        return Outcome(sum(0.5 * (w + w2) * (t2 - t) for (t, w), (t2, w2) in pairs))


class Difference(_Nvml):
    """The energy counter before and after."""

    def _joules(self) -> float:
        return float(self._nvml.nvmlDeviceGetTotalEnergyConsumption(self._handle)) / 1000

    def begin(self) -> None:
        self._before = self._joules()

    def end(self, began: float, ended: float) -> Outcome:
        return Outcome(self._joules() - self._before)


TOOLS: dict[str, Any] = {
    JOULEBENCH: JouleBench,
    "Zeus": Zeus,
    "CodeCarbon": CodeCarbon,
    "optimum-benchmark": Optimum,
    "polling": Polling,
    "counter difference": Difference,
}
PEERS = {"Zeus", "CodeCarbon", "optimum-benchmark"}
IMPORTS = {
    JOULEBENCH: "import bench.meters.nvml",
    "Zeus": "from zeus.monitor import ZeusMonitor",
    "CodeCarbon": "from codecarbon import EmissionsTracker",
    "optimum-benchmark": "from optimum_benchmark.trackers.energy import EnergyTracker",
    "polling": "import pynvml",
    "counter difference": "import pynvml",
}

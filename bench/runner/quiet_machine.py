"""Looks at the load of the CPU before a run, and waits while other programs take it."""

from __future__ import annotations

from collections.abc import Callable

from bench.results.analysis_versions import analysis_parameters
from bench.runner.config import Profile
from bench.runner.events import Event, OnEvent
from bench.system.clock import Clock
from bench.system.device_monitor import CpuLoad

LOOK_SECONDS = 0.5  # 50 ticks of the kernel's CPU times on each CPU
# Longer than the end of a build or an update check; a lasting load is stated instead.
WAIT_SECONDS = {"standard": 60.0, "strict": 60.0, "quick": 0.0}


def wait_for_quiet_machine(
    profile: Profile,
    clock: Clock,
    on_event: OnEvent,
    other_load: Callable[[], float | None] | None = None,
) -> bool:
    """Wait until other programs take no more of the CPU than a result may have without a warning.

    Returns whether that is so after at most a minute, in a quick run at once; the events
    "machine-busy" and "machine-still-busy" say that it is not. `other_load` returns the share of
    all CPUs that other programs used since its last call, None where that is not known.
    """
    other_load = other_load or CpuLoad().sample
    limit = analysis_parameters().busy_cpu_fraction
    until: float | None = None
    while True:
        clock.sleep(LOOK_SECONDS)
        load = other_load()
        if load is None or load <= limit:
            return True
        if until is None:
            until = clock.now() + WAIT_SECONDS[profile]
            if WAIT_SECONDS[profile]:
                seconds = WAIT_SECONDS[profile]
                on_event(Event("machine-busy", percent=100 * load, seconds=seconds))
        if clock.now() >= until:
            on_event(Event("machine-still-busy", percent=100 * load))
            return False

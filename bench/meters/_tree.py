"""CPU time of a program and of everything that it started, living or ended, without our own."""

from __future__ import annotations

import resource


def cpu_seconds() -> float:
    """CPU seconds of all processes below this one.

    What was waited for counts in full, to a microsecond; what still lives in ticks of 10 ms. A
    process that its parent left behind counts where this process adopts it
    (`bench.tracker.launch`).
    """
    import psutil

    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = ended.ru_utime + ended.ru_stime
    for process in psutil.Process().children(recursive=True):
        try:
            spent = process.cpu_times()
        except psutil.Error:
            continue  # it ended meanwhile, and its parent has its time
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total

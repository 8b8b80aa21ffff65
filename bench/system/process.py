"""This process: its environment before torch is imported, CPU time of its process tree."""

from __future__ import annotations

import logging
import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any


def cpu_seconds() -> float:
    """CPU seconds of all processes below this one.

    What was waited for counts in full, to a microsecond; what still lives in ticks of 10 ms. A
    process that its parent left behind counts where this process adopts it
    (`bench.tracker.spawn`).
    """
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    total = ended.ru_utime + ended.ru_stime
    for spent in _children_times():
        total += spent.user + spent.system + spent.children_user + spent.children_system
    return total


def own_processes() -> frozenset[int]:
    """The ids of this process and of its child processes, at any depth."""
    import psutil

    me = psutil.Process()
    return frozenset([me.pid, *(child.pid for child in me.children(recursive=True))])


def system_cpu_seconds() -> tuple[float, float, float]:
    """CPU seconds since the machine started: (elapsed on all CPUs, busy, of this process tree)."""
    import psutil

    times = psutil.cpu_times()
    idle = times.idle + getattr(times, "iowait", 0.0)
    everything = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    times_here = os.times()
    own = times_here.user + times_here.system
    own += times_here.children_user + times_here.children_system
    for spent in _children_times():
        own += spent.user + spent.system
    return everything, everything - idle, own


def configure_environment() -> None:
    """Set the environment of torch and other libraries: no progress output, GPUs in PCI order.

    PCI order is the driver's order, so that cuda:1 and gpu:1 are one GPU. It is left as it is where
    torch is imported already: CUDA reads it once, and `check_gpu_numbering` reads it afterwards.
    """
    if "torch" not in sys.modules:
        os.environ.setdefault("CUDA_DEVICE_ORDER", "PCI_BUS_ID")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
    os.environ.setdefault("HF_DATASETS_DISABLE_PROGRESS_BARS", "1")
    logging.getLogger("torchao").setLevel(logging.ERROR)
    logging.getLogger("torch.utils._pytree").setLevel(logging.ERROR)


def let_waiting_threads_sleep() -> None:
    """Let threads of OpenMP sleep while they wait, unless the user has set another policy.

    By default they wait in a loop, which counts as CPU time: with two threads on two CPUs that
    other programs shared, thirty passes of a small network took 7.6 s of CPU time in 22 s, and
    with sleeping threads 0.35 s in 0.9 s (docs/notebook). Without effect once torch is imported.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


def own_cpu_seconds() -> float:
    """CPU seconds of this process (to a microsecond) and of its ended children (ticks of 10 ms)."""
    ended = os.times()
    return time.process_time() + ended.children_user + ended.children_system


def _children_times() -> Iterator[Any]:
    """psutil's CPU times of every process below this one."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):  # it ended meanwhile: its time is with the ended ones
            yield child.cpu_times()

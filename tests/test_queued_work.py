"""Work that a framework has queued is waited for, and no context is made for it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import simulated_nvml

from bench.system.queued_work import wait_for_queued_work
from bench.tracker.code_block import track

needs_compiler = pytest.mark.skipif(
    simulated_nvml.compiler() is None or not sys.platform.startswith("linux"),
    reason="the simulated driver needs a C compiler and Linux",
)
QUEUED_SECONDS = 0.2


@pytest.fixture
def jax(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """A module that looks like JAX with one array, which is computed 0.2 s after it is queued."""
    state = SimpleNamespace(done_at=0.0, initialised=True)

    def block() -> None:
        time.sleep(max(0.0, state.done_at - time.monotonic()))

    module, bridge = ModuleType("jax"), ModuleType("jax._src.xla_bridge")
    module.live_arrays = lambda: [SimpleNamespace(block_until_ready=block)]  # type: ignore[attr-defined]
    bridge.backends_are_initialized = lambda: state.initialised  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "jax", module)
    monkeypatch.setitem(sys.modules, "jax._src.xla_bridge", bridge)
    return state


@pytest.mark.parametrize("synchronize", [True, False])
def test_work_queued_in_a_block_belongs_to_it(jax: SimpleNamespace, synchronize: bool) -> None:
    with track(devices=[], synchronize=synchronize) as measurement:
        jax.done_at = time.monotonic() + QUEUED_SECONDS
    assert measurement.duration_seconds is not None
    assert synchronize is (measurement.duration_seconds >= QUEUED_SECONDS)


def test_framework_without_a_backend_is_not_started(jax: SimpleNamespace) -> None:
    jax.initialised, jax.done_at = False, time.monotonic() + 60
    wait_for_queued_work([])


@needs_compiler
@pytest.mark.parametrize(
    ("uuids", "initialised", "framework", "calls"),
    [
        ((0, 1), "1", "torch", ["retain", "push", "synchronize", "pop", "release"]),
        ((1,), "1", "torch", []),
        ((0,), "0", "torch", []),
        ((0,), "1", "none", []),
    ],
    ids=["context on the first", "no context on the second", "not initialised", "no framework"],
)
def test_only_a_context_that_exists_is_synchronized(
    tmp_path: Path, uuids: tuple[int, ...], initialised: str, framework: str, calls: list[str]
) -> None:
    library = tmp_path / "libcuda.so.1"
    source = Path(__file__).with_name("simulated_cuda.c")
    compiler = simulated_nvml.compiler() or "cc"
    soname = "-Wl,-soname,libcuda.so.1"
    subprocess.run(
        [compiler, "-shared", "-fPIC", soname, "-o", str(library), str(source)], check=True
    )
    names = [f"GPU-0000000{index}-aaaa-aaaa-aaaa-aaaaaaaaaaaa" for index in uuids]
    code = (
        f"import ctypes, sys, types; ctypes.CDLL({str(library)!r})\n"
        f"sys.modules[{framework!r}] = types.ModuleType({framework!r})\n"
        "from bench.system.queued_work import wait_for_queued_work\n"
        f"wait_for_queued_work({names!r})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "SIMULATED_CUDA_INITIALISED": initialised},
    )
    assert done.stdout.splitlines() == [f"{call} 0" for call in calls]

"""Waits for work that a framework of this process has queued on its devices.

All contexts of torch, JAX and CuPy on one GPU are its primary context, so that CUDA's driver API
waits for each of them. Nothing is loaded and no context is made: what a framework has not begun to
use has no queue.
"""

from __future__ import annotations

import ctypes
import os
import sys
import uuid
from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any

_FRAMEWORKS = ("torch", "jax", "cupy")


def wait_for_queued_work(gpu_uuids: Collection[str]) -> None:
    """Return when all work queued so far by torch, JAX or CuPy is done.

    `gpu_uuids` are the GPUs to wait for, by the driver's UUID; JAX is waited for on all its
    devices. A computation that failed raises where its program reads it, not here.
    """
    if not any(name in sys.modules for name in _FRAMEWORKS):
        return
    _wait_for_jax()
    driver = _loaded_driver() if gpu_uuids else None
    if driver is not None:
        for device in _devices(driver, gpu_uuids):
            _synchronize(driver, device)


def _wait_for_jax() -> None:
    """JAX hands work to a device from threads of its own: wait for the arrays, not for CUDA."""
    jax, bridge = sys.modules.get("jax"), sys.modules.get("jax._src.xla_bridge")
    is_initialized = getattr(bridge, "backends_are_initialized", None)
    if jax is None or is_initialized is None or not is_initialized():
        return
    with suppress(Exception):  # listing arrays fails where a backend was removed
        for array in jax.live_arrays():
            with suppress(Exception):  # a deleted array, or the error of a computation
                array.block_until_ready()


def _loaded_driver() -> Any:
    """CUDA's driver library where this process has loaded it, else None."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        return ctypes.CDLL("libcuda.so.1", mode=os.RTLD_NOLOAD | os.RTLD_NOW)
    except OSError:
        return None


def _devices(driver: Any, gpu_uuids: Collection[str]) -> Iterator[ctypes.c_int]:
    """The devices of these UUIDs; none where CUDA is not initialised."""
    # Not cuDeviceGetUuid_v2, which gives the UUID of a MIG slice instead of its GPU's.
    get_uuid = getattr(driver, "cuDeviceGetUuid", None) or driver.cuDeviceGetUuid_v2
    count = ctypes.c_int(0)
    if driver.cuDeviceGetCount(ctypes.byref(count)):
        return
    for index in range(count.value):
        device, octets = ctypes.c_int(), (ctypes.c_ubyte * 16)()
        if driver.cuDeviceGet(ctypes.byref(device), index):
            continue
        if get_uuid(ctypes.byref(octets), device):
            continue
        if f"GPU-{uuid.UUID(bytes=bytes(octets))}" in gpu_uuids:
            yield device


def _synchronize(driver: Any, device: ctypes.c_int) -> None:
    """Wait for the primary context of a device, where it is in use."""
    flags, active = ctypes.c_uint(), ctypes.c_int()
    state = driver.cuDevicePrimaryCtxGetState(device, ctypes.byref(flags), ctypes.byref(active))
    context = ctypes.c_void_p()
    if state or not active.value:
        return
    if driver.cuDevicePrimaryCtxRetain(ctypes.byref(context), device):
        return
    if driver.cuCtxPushCurrent_v2(context) == 0:
        driver.cuCtxSynchronize()
        driver.cuCtxPopCurrent_v2(ctypes.byref(ctypes.c_void_p()))
    driver.cuDevicePrimaryCtxRelease_v2(device)

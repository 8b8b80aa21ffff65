"""The process lists of NVIDIA's library, whose entries differ in size between drivers.

The binding knows one size. NVML 11 has entries of 24 bytes, NVML 10 and older of 16, and the first
releases of driver 535 (CUDA 12.2) of 32 under the same function name: read with the wrong size,
every process id after the first is a piece of another field
(https://github.com/XuehaiPan/nvitop/pull/79).
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from typing import Any

VERSIONS = ("_v3", "_v2", "")  # the newest first; drivers of branch 470 and older have no _v3
ENTRY_BYTES = (16, 24, 32)
_LARGEST_ENTRY = 64  # of a later driver with more fields
_FILLING = 0xAA
_INSUFFICIENT_SIZE = 7


class UnknownEntrySize(Exception):
    """The driver wrote entries of a size that is not known."""


def process_ids(function: Callable[..., int], handle: Any) -> tuple[int, list[int]]:
    """NVML's return code and, where it is 0, the process ids that a list function gives.

    The size of an entry is found from the number of bytes that the driver writes into a buffer with
    known content. Raises UnknownEntrySize where that is no known size.
    """
    capacity = 32
    while True:
        count = ctypes.c_uint(capacity)
        buffer = (ctypes.c_ubyte * (capacity * _LARGEST_ENTRY))()
        ctypes.memset(buffer, _FILLING, len(buffer))
        code = function(handle, ctypes.byref(count), buffer)
        if code != _INSUFFICIENT_SIZE or capacity >= 65_536:
            break
        capacity = max(2 * capacity, 2 * count.value)
    if code or not count.value:
        return code, []
    content = bytes(buffer)
    written = len(content.rstrip(bytes([_FILLING])))
    size, rest = divmod(written, count.value)
    if rest or size not in ENTRY_BYTES:
        raise UnknownEntrySize
    starts = range(0, written, size)
    return 0, [int.from_bytes(content[at : at + 4], "little") for at in starts]

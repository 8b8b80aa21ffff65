"""One model on several GPUs: accelerate cuts it between blocks, and moves what passes the cuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

# What stays free on each card for activations and the cache of keys and values.
FREE_SHARE = 0.1


def spread(network: Any, devices: Sequence[str]) -> Any:
    """The network with its parts on the devices, about as much on each."""
    from accelerate import dispatch_model

    memory: dict[int | str, int] = {number: _free_bytes(number) for number in map(_number, devices)}
    return dispatch_model(network, device_map=device_map(network, memory), main_device=devices[0])


def device_map(network: Any, memory: Mapping[int | str, int]) -> dict[str, int | str]:
    """Which part goes to which device: whole blocks, in order, balanced within `memory` bytes.

    Raises ValueError where it does not fit.
    """
    from accelerate import infer_auto_device_map
    from accelerate.utils import get_balanced_memory

    whole = getattr(network, "_no_split_modules", None) or []
    common = {"no_split_module_classes": list(whole), "dtype": network.dtype}
    balanced = get_balanced_memory(network, max_memory=dict(memory), **common)
    found: dict[str, int | str] = infer_auto_device_map(network, max_memory=balanced, **common)
    if not set(found.values()) <= set(memory):
        raise ValueError(f"the model does not fit into {', '.join(map(str, memory))}")
    return found


def _free_bytes(number: int) -> int:
    import torch

    return int(torch.cuda.mem_get_info(number)[0] * (1 - FREE_SHARE))


def _number(device: str) -> int:
    return int(device.partition(":")[2])

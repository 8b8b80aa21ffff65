"""Loads of a GPU: bursts of any length, and a fixed workload, on CUDA through torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

MATRIX = 4096  # half precision: a fifth of a millisecond on a large GPU
LAYERS, WIDTH, TOKENS = 6, 768, 128


class Load(Protocol):
    """Work for one GPU. Both calls return when the device is idle again."""

    @property
    def versions(self) -> Mapping[str, str]:
        """Versions of the packages that make the load."""
        ...

    def busy(self, seconds: float) -> None:
        """Work for about so many seconds."""
        ...

    def work(self, units: int) -> None:
        """Run so many inferences of a small fixed model."""
        ...


OpenLoad = Callable[[int], Load]
"""Opens the load of the N-th GPU that this process sees."""


class CudaLoad:
    """Matrix products for bursts, a small transformer encoder for the fixed workload."""

    def __init__(self, number: int) -> None:
        import torch

        self._torch, self._device = torch, torch.device(f"cuda:{number}")
        torch.manual_seed(0)
        shape, half = (MATRIX, MATRIX), torch.float16
        self._left, self._right, self._out = (
            torch.randn(shape, dtype=half, device=self._device) for _ in range(3)
        )
        layer = torch.nn.TransformerEncoderLayer(WIDTH, 12, 4 * WIDTH, batch_first=True)
        encoder = torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)
        self._net: Any = encoder.to(self._device).eval()
        self._tokens = torch.randn((1, TOKENS, WIDTH), device=self._device)
        self._versions = {"torch": torch.__version__, "cuda": str(torch.version.cuda)}
        self.busy(0.2)
        self.work(10)

    @property
    def versions(self) -> Mapping[str, str]:
        return self._versions

    def busy(self, seconds: float) -> None:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            self._torch.mm(self._left, self._right, out=self._out)
            self._torch.cuda.synchronize(self._device)

    def work(self, units: int) -> None:
        with self._torch.inference_mode():
            for _ in range(units):
                self._net(self._tokens)
        self._torch.cuda.synchronize(self._device)


def gpu_count() -> int:
    """How many GPUs torch can use here; 0 where there is no torch or no CUDA."""
    try:
        import torch
    except ImportError:
        return 0
    return int(torch.cuda.device_count()) if torch.cuda.is_available() else 0

"""What both torch backends share: dtypes, devices, draining, and failures with a reason."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bench.backends import Failed, ModelNotFound, Spec
from bench.results.settings import DTYPES

NO_MEMORY = ("out of memory", "can't allocate memory", "cannot allocate memory")


UNSUPPORTED = ("not implemented for", "not supported", "unsupported", "no kernel image")


PACKAGES = ("torch", "transformers", "diffusers", "tokenizers", "safetensors", "accelerate")


def dtype_name(spec: Spec) -> str:
    """The precision of a run: as the published studies chose where nothing was said, that is
    float32, and float16 for text generation on a GPU."""
    if spec.dtype != "auto":
        return DTYPES[spec.dtype]
    on_gpu = spec.devices[0] != "cpu"
    return "float16" if on_gpu and spec.tag == "text-generation" else "float32"


def the_device(spec: Spec) -> str:
    """The torch device that inputs go to, of several the first. Raises ModelNotFound where torch
    can't use them all."""
    device = spec.devices[0]
    if device == "cpu":
        return device
    import torch

    if not torch.cuda.is_available():
        raise ModelNotFound(
            f"this torch ({torch.__version__}) can't use {device}: give --device cpu"
        )
    count = torch.cuda.device_count()
    for name in spec.devices:
        if int(name.partition(":")[2]) >= count:
            raise ModelNotFound(f"torch sees {count} GPUs, and no {name}")
    return device


def drain(*devices: str) -> None:
    """Return when the devices have done all that they were given."""
    for device in devices:
        if device != "cpu":
            import torch

            torch.cuda.synchronize(device)


def parameter_count(*modules: Any) -> int:
    """Parameters of all modules together, each shared one counted once."""
    seen = {id(p): p.numel() for module in modules for p in module.parameters()}
    return sum(seen.values())


def versions() -> dict[str, str]:
    """Versions of everything that runs the model, with CUDA's where torch has it."""
    import torch

    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    if torch.version.cuda:
        found["cuda"] = torch.version.cuda
    found["torch_threads"] = str(torch.get_num_threads())
    return found


@contextmanager
def guarded(stage: str) -> Iterator[None]:
    """Turn what a model throws into a failure with a code: the run records it and goes on."""
    try:
        yield
    except (Failed, ModelNotFound):
        raise
    except MemoryError as error:
        raise Failed(stage, "out-of-memory", "the machine has no memory left") from error
    except Exception as error:
        # A model may throw anything, and every failure is a result with its reason.
        text = f"{type(error).__name__}: {str(error).strip()}"[:500]
        raise Failed(stage, _code(str(error).lower()), text) from error


def _code(text: str) -> str:
    if any(words in text for words in NO_MEMORY):
        return "out-of-memory"
    if any(words in text for words in UNSUPPORTED):
        return "unsupported"
    return "error"

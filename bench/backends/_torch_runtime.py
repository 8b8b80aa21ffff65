"""torch for both backends: precision, devices, quantization, counts, versions, error mapping."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from typing import Any

from bench.backends import BackendError, ModelNotFound, ModelSpec
from bench.results.fields import Setting

PACKAGES = ("torch", "transformers", "diffusers", "tokenizers", "safetensors", "accelerate")

# Phrases in messages of torch, by the code of the failure.
ERROR_PHRASES = {
    "out-of-memory": ("out of memory", "cannot allocate memory", "cannot allocate memory"),
    "unsupported": ("not implemented for", "not supported", "unsupported", "no kernel image"),
}

# Where configurations of transformers keep the number of experts, and of those that a token uses.
EXPERT_COUNTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")
EXPERTS_PER_TOKEN = (
    "num_experts_per_tok",
    "num_experts_per_token",
    "moe_top_k",
    "moe_topk",
    "moe_k",
    "top_k_experts",
)
# Architectures whose configuration does not state it: top-1 (Fedus et al. 2022, Switch
# Transformers) and top-2 (NLLB team 2022, No Language Left Behind).
FIXED_EXPERTS_PER_TOKEN = {"switch_transformers": 1, "nllb-moe": 2}

# The packing that torch's own int4 kernels read; the others need libraries that are not on PyPI.
INT4 = {"group_size": 32, "int4_packing_format": "tile_packed_to_4d"}

# The share of each GPU's free memory left for activations and the key-value cache; an assumption.
FREE_MEMORY_SHARE = 0.1


def input_device(spec: ModelSpec) -> str:
    """The torch device for inputs, the first of several. Raises ModelNotFound if unusable."""
    device = spec.devices[0]
    if device == "cpu":
        return device
    import torch

    if not torch.cuda.is_available():
        raise ModelNotFound(
            f"this torch ({torch.__version__}) cannot use {device}: give --device cpu"
        )
    count = torch.cuda.device_count()
    for name in spec.devices:
        if int(name.partition(":")[2]) >= count:
            raise ModelNotFound(f"torch finds {count} GPUs, and no {name}")
    return device


def synchronize(*devices: str) -> None:
    """Wait until the devices have finished all queued work."""
    for device in devices:
        if device != "cpu":
            import torch

            torch.cuda.synchronize(device)


def gpu_uuids(*modules: Any) -> tuple[str, ...]:
    """The UUIDs, as torch reports them, of the GPUs that hold the modules' parameters.

    Empty where there is none, or where this torch does not report UUIDs.
    """
    devices = {p.device for module in modules for p in module.parameters()}
    indices = {device.index or 0 for device in devices if device.type == "cuda"}
    if not indices:
        return ()
    import torch

    known = [getattr(torch.cuda.get_device_properties(i), "uuid", None) for i in sorted(indices)]
    return tuple(f"GPU-{str(uuid).removeprefix('GPU-')}" for uuid in known if uuid is not None)


def parameter_count(*modules: Any) -> int:
    """Parameters of all modules together; a shared one counts once."""
    counts = {id(p): p.numel() for module in modules for p in module.parameters()}
    return sum(counts.values())


def active_parameter_count(network: Any) -> int | None:
    """Parameters that one token uses in a mixture of experts; None for any other model.

    All parameters but those of the routed experts count; of the routed experts the share that a
    token is sent to. An expert's weights are those below a module named `experts`, or a stack of
    matrices whose first dimension is the number of experts.
    """
    config = network.config.get_text_config()
    config = getattr(config, "ffn_config", config)  # DBRX
    experts = _first_integer(config, EXPERT_COUNTS)
    used = _first_integer(config, EXPERTS_PER_TOKEN) or FIXED_EXPERTS_PER_TOKEN.get(
        network.config.model_type
    )
    if experts is None or used is None or not 0 < used <= experts:
        return None
    routed = sum(
        parameter.numel()
        for name, parameter in network.named_parameters()
        if "experts" in name.split(".") or (parameter.dim() == 3 and len(parameter) == experts)
    )
    return parameter_count(network) - routed + round(routed * used / experts) if routed else None


def _first_integer(config: Any, names: Sequence[str]) -> int | None:
    values = (getattr(config, name, None) for name in names)
    return next((value for value in values if type(value) is int), None)


def numerics() -> dict[str, Setting]:
    """Settings of torch that change the precision or the speed of its operations."""
    import torch

    return {
        "tf32": torch.backends.cuda.matmul.allow_tf32,
        "cudnn_tf32": torch.backends.cudnn.allow_tf32,
        "cudnn_benchmark": torch.backends.cudnn.benchmark,
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "omp_wait_policy": os.environ.get("OMP_WAIT_POLICY", "unset"),
    }


def versions() -> dict[str, str]:
    """Versions of the libraries that run the model, of CUDA, and the number of torch threads."""
    import torch

    installed = {}
    for package in PACKAGES:
        with suppress(importlib.metadata.PackageNotFoundError):
            installed[package] = importlib.metadata.version(package)
    if torch.version.cuda:
        installed["cuda"] = torch.version.cuda
    installed["torch_threads"] = str(torch.get_num_threads())
    return installed


@contextmanager
def map_errors(stage: str) -> Iterator[None]:
    """Raise any error of a model as BackendError with a code, which the run records."""
    try:
        yield
    except (BackendError, ModelNotFound):
        raise
    except MemoryError as error:
        raise BackendError(stage, "out-of-memory", "the machine has no memory left") from error
    except Exception as error:
        # A model may raise anything, and every failure is recorded with its reason.
        message = str(error).lower()
        codes = (
            code
            for code, phrases in ERROR_PHRASES.items()
            if any(phrase in message for phrase in phrases)
        )
        text = f"{type(error).__name__}: {str(error).strip()}"[:500]
        raise BackendError(stage, next(codes, "error"), text) from error


def check_optimizations(spec: ModelSpec) -> None:
    """Raises ModelNotFound, before any download, for an optimization that this machine lacks."""
    on_cpu = spec.devices[0] == "cpu"
    if spec.settings.quantization and not find_spec("torchao"):
        raise ModelNotFound(
            f"--quantization {spec.settings.quantization} needs torchao: pip install "
            "'joulebench[quantization]'"
        )
    if spec.settings.quantization == "int4" and on_cpu:
        raise ModelNotFound("--quantization int4 needs a GPU; int8 works on a CPU")
    if spec.settings.quantization == "int4" and spec.dtype != "bfloat16":
        raise ModelNotFound("--quantization int4 needs --dtype bf16")
    if spec.settings.quantization and len(spec.devices) > 1:
        raise ModelNotFound("--quantization does not go with several GPUs yet: give one --device")
    if spec.settings.compile and on_cpu and shutil.which(os.environ.get("CXX", "g++")) is None:
        raise ModelNotFound("--compile on a CPU needs a C++ compiler: install g++, or set CXX")
    if spec.settings.attention == "flash_attention_2" and (on_cpu or not find_spec("flash_attn")):
        raise ModelNotFound(
            "--attention flash_attention_2 needs an NVIDIA GPU and the package flash-attn"
        )


def apply_optimizations(spec: ModelSpec, network: Any) -> None:
    """Quantize and compile a network in place; compilation happens on the first forward pass.

    int8 has 8-bit weights by channel, int4 has 4-bit weights in groups of 32. Activations and
    embeddings keep their precision. Raises ModelNotFound where a library is missing.
    """
    if kind := spec.settings.quantization:
        from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig, quantize_

        try:
            config = Int8WeightOnlyConfig() if kind == "int8" else Int4WeightOnlyConfig(**INT4)
            quantize_(network, config)
        except ImportError as error:
            raise ModelNotFound(
                f"--quantization {kind} needs more than torchao: {error}"
            ) from error
    if spec.settings.compile:
        # Dynamic shapes: inputs differ in length, and each length would compile anew.
        network.compile(dynamic=True)


def split_over_gpus(network: Any, devices: Sequence[str]) -> Any:
    """The network with its blocks distributed evenly over the devices."""
    import torch
    from accelerate import dispatch_model

    memory: dict[int | str, int] = {}
    for number in (int(device.partition(":")[2]) for device in devices):
        memory[number] = int(torch.cuda.mem_get_info(number)[0] * (1 - FREE_MEMORY_SHARE))
    return dispatch_model(network, device_map=device_map(network, memory), main_device=devices[0])


def device_map(network: Any, memory: Mapping[int | str, int]) -> dict[str, int | str]:
    """The device of each block, in order of the blocks, balanced within `memory` bytes a device.

    Raises ValueError where the network does not fit.
    """
    from accelerate import infer_auto_device_map
    from accelerate.utils import get_balanced_memory

    blocks = getattr(network, "_no_split_modules", None) or []
    common = {"no_split_module_classes": list(blocks), "dtype": network.dtype}
    balanced = get_balanced_memory(network, max_memory=dict(memory), **common)
    devices: dict[str, int | str] = infer_auto_device_map(network, max_memory=balanced, **common)
    if not set(devices.values()) <= set(memory):
        raise ValueError(f"the model does not fit into {', '.join(map(str, memory))}")
    return devices

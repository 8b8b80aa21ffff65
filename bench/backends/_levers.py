"""Levers on a loaded model: whole-number weights, compilation, how attention is computed."""

from __future__ import annotations

import importlib.util
import os
import shutil
from collections.abc import Sequence
from typing import Any

from bench.backends import ModelNotFound, Spec
from bench.backends.torch_device import dtype_name
from bench.results.fields import Setting

QUANTIZATIONS = ("int8", "int4")
ATTENTIONS = ("eager", "sdpa", "flash_attention_2")
# The packing that torch's own kernels read; the others need libraries that no registry has.
INT4 = {"group_size": 32, "int4_packing_format": "tile_packed_to_4d"}


def check(spec: Spec) -> None:
    """Raises ModelNotFound, before anything is fetched, for a lever that this machine lacks."""
    on_cpu = spec.devices[0] == "cpu"
    if spec.quantization and not _installed("torchao"):
        raise ModelNotFound(
            f"--quantization {spec.quantization} needs torchao: pip install "
            "'joulebench[quantization]'"
        )
    if spec.quantization == "int4" and on_cpu:
        raise ModelNotFound("--quantization int4 needs a GPU; int8 works on a CPU")
    if spec.quantization == "int4" and dtype_name(spec) != "bfloat16":
        raise ModelNotFound("--quantization int4 needs --dtype bf16")
    if spec.quantization and len(spec.devices) > 1:
        raise ModelNotFound("--quantization does not go with several GPUs yet: give one --device")
    if spec.compile and on_cpu and shutil.which(os.environ.get("CXX", "g++")) is None:
        raise ModelNotFound("--compile on a CPU needs a C++ compiler: install g++, or set CXX")
    if spec.attention == "flash_attention_2" and (on_cpu or not _installed("flash_attn")):
        raise ModelNotFound(
            "--attention flash_attention_2 needs an NVIDIA GPU and the package flash-attn"
        )


def pull(spec: Spec, networks: Sequence[Any]) -> None:
    """Quantize and compile the networks in place. Compilation itself waits for the first serving.

    int8: 8-bit weights by channel, activations as they are. int4: 4-bit weights in groups of 32.
    Both leave embeddings alone. Raises ModelNotFound where a library is missing.
    """
    for network in networks:
        if spec.quantization:
            _quantize(spec.quantization, network)
        if spec.compile:
            # Inputs differ in length: shapes are compiled once for all, not one by one.
            network.compile(dynamic=True)


def settings(spec: Spec) -> dict[str, Setting]:
    """What belongs into the record of the model."""
    return {"quantization": spec.quantization, "compile": spec.compile}


def _quantize(kind: str, network: Any) -> None:
    from torchao.quantization import Int4WeightOnlyConfig, Int8WeightOnlyConfig, quantize_

    try:
        config = Int8WeightOnlyConfig() if kind == "int8" else Int4WeightOnlyConfig(**INT4)
        quantize_(network, config)
    except ImportError as error:
        raise ModelNotFound(f"--quantization {kind} needs more than torchao: {error}") from error


def _installed(package: str) -> bool:
    return importlib.util.find_spec(package) is not None

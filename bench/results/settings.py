"""`ModelSettings`: one field an option of the model, with choices and help; its enumerations; base of RunConfig and type of `ModelSpec.settings`."""

from __future__ import annotations

from enum import StrEnum


class Weights(StrEnum):
    """Where weights come from."""

    pretrained = "pretrained"
    random = "random"


class Quantization(StrEnum):
    """Weights in whole numbers."""

    int8 = "int8"
    int4 = "int4"


class Attention(StrEnum):
    """How attention is computed, by transformers' names."""

    eager = "eager"
    sdpa = "sdpa"
    flash_attention_2 = "flash_attention_2"


class LabelMethod(StrEnum):
    """Ways of asking a text model for a label."""

    auto = "auto"
    classifier = "classifier"
    zero_shot = "zero-shot"
    prompt = "prompt"


class Dtype(StrEnum):
    """Precisions, by their names and their short names."""

    auto = "auto"
    float32 = "float32"
    fp32 = "fp32"
    float16 = "float16"
    fp16 = "fp16"
    bfloat16 = "bfloat16"
    bf16 = "bf16"


DTYPES = {
    "float32": "float32",
    "fp32": "float32",
    "float16": "float16",
    "fp16": "float16",
    "bfloat16": "bfloat16",
    "bf16": "bfloat16",
}

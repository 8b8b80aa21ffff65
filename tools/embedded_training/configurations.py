"""Small configurations without weights, for tasks for which no small model was trained.

The library initialises their networks at random; the result records this and never ranks.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import torch

from bench.workloads import embedded
from tools.embedded_training import common, text_configurations

WIDTHS = {"tiny": 64, "small": 128}
LAYERS = {"tiny": 2, "small": 3}


def write(task_id: str, size: str) -> None:
    """Write the configuration files of one size and the model card."""
    folder = embedded.FOLDER / "models" / task_id / size
    folder.mkdir(parents=True, exist_ok=True)
    count = MAKERS[task_id](folder, WIDTHS[size], LAYERS[size])
    common.make_shippable(folder)
    text = CARD_TEXT.format(task=task_id, size=size, count=count, command=common.COMMAND)
    (folder / "README.md").write_text(text, encoding="utf-8")
    common.write_quality(folder, None)


def _video(folder: Path, width: int, layers: int) -> int:
    """AnimateDiff, with the autoencoder configuration of the embedded image-gen model."""
    from diffusers import AnimateDiffPipeline, AutoencoderKL, DDIMScheduler, UNetMotionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    tokenizer = _byte_tokenizer()
    text_config = CLIPTextConfig(
        **_encoder(width, layers),
        vocab_size=len(tokenizer),
        max_position_embeddings=tokenizer.model_max_length,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    vae_config = AutoencoderKL.load_config(embedded.model_path("image-gen", "small") / "vae")
    pipeline: Any = AnimateDiffPipeline(
        vae=AutoencoderKL.from_config(vae_config),
        text_encoder=CLIPTextModel(text_config),
        tokenizer=tokenizer,
        unet=UNetMotionModel(
            sample_size=8,
            layers_per_block=layers - 1,
            block_out_channels=(width // 2, width),
            down_block_types=("CrossAttnDownBlockMotion", "DownBlockMotion"),
            up_block_types=("UpBlockMotion", "CrossAttnUpBlockMotion"),
            norm_num_groups=8,
            num_attention_heads=4,
            motion_num_attention_heads=4,
            cross_attention_dim=text_config.hidden_size,
        ),
        motion_adapter=None,
        scheduler=DDIMScheduler(clip_sample=False),
    )
    pipeline.save_pretrained(folder)
    for file in folder.rglob("*.safetensors"):
        file.unlink()
    return common.parameter_count([pipeline.unet, pipeline.vae, pipeline.text_encoder])


def _byte_tokenizer() -> Any:
    """A CLIP tokenizer with one token a byte."""
    from tokenizers.pre_tokenizers import ByteLevel
    from transformers import CLIPTokenizer

    tokens = [f"{byte}{end}" for end in ("", "</w>") for byte in sorted(ByteLevel.alphabet())]
    special = ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {token: index for index, token in enumerate([*tokens, *special])}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _encoder(width: int, layers: int) -> dict[str, Any]:
    """The proportions of all encoders here."""
    return {
        "hidden_size": width,
        "intermediate_size": 4 * width,
        "num_hidden_layers": layers,
        "num_attention_heads": 4,
    }


def _text(
    maker: Callable[[int, int], tuple[Any, Any]], folder: Path, width: int, layers: int
) -> int:
    """A text model with the vocabulary of the text-classification tokenizer."""
    return _save(*maker(width, layers), folder)


def _save(config: Any, network: Any, folder: Path) -> int:
    """Save a configuration; returns the parameters of its network, counted on the meta device."""
    config.architectures = [network.__name__]
    config.save_pretrained(folder)
    with torch.device("meta"):
        return common.parameter_count([network(config)])


MAKERS: dict[str, Callable[[Path, int, int], int]] = {
    "video-gen": _video,
    **{task: partial(_text, maker) for task, maker in text_configurations.MAKERS.items()},
}
CARD_TEXT = """---
license: apache-2.0
---

# JouleBench {task}, {size}: a configuration without weights

{count:,} parameters, which get random values whenever the model is loaded. It tests that the task
runs on a machine, offline. Its outputs have no meaning; its results say so and never rank. The
energy this model needs says nothing about the energy of large models.

Made by `{command} {task} --size {size}`.
"""

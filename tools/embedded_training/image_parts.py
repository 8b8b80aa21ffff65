"""Components of the image models: tokenizer, text encoder, UNet, scheduler; and their saving."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from tools.embedded_training import common

VOCABULARY = 512
LONGEST = 24  # tokens of a prompt
WIDTHS = {"tiny": (64, (32, 32)), "small": (128, (72, 72))}  # text encoder, UNet
HEADS = 4


def make_tokenizer(texts: list[str]) -> CLIPTokenizer:
    """A small BPE tokenizer with the word endings that the CLIP classes expect."""
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 2,
        end_of_word_suffix="</w>",
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(sorted(set(texts)), trainer)
    with tempfile.TemporaryDirectory() as folder:
        vocabulary, merges = tokenizer.model.save(folder)
        return CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=LONGEST)


def make_text_encoder(size: str, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    width = WIDTHS[size][0]
    return CLIPTextModel(
        CLIPTextConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            intermediate_size=2 * width,
            num_hidden_layers=2,
            num_attention_heads=HEADS,
            max_position_embeddings=LONGEST,
            projection_dim=width,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **common.EAGER,
        )
    )


def make_unet(size: str) -> Any:
    width, channels = WIDTHS[size]
    return UNet2DConditionModel(
        sample_size=8,
        in_channels=4,
        out_channels=4,
        block_out_channels=channels,
        down_block_types=("CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D"),
        layers_per_block=1,
        cross_attention_dim=width,
        attention_head_dim=HEADS,  # the library's old name for the number of heads
        norm_num_groups=8,
    )


def make_scheduler() -> Any:
    """A schedule with zero terminal SNR, for black backgrounds (Lin et al. 2024)."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


def assemble(folder: Path, vae: Any, parts: tuple[CLIPTokenizer, CLIPTextModel, Any]) -> None:
    """Save the parts as one Stable Diffusion pipeline in half precision."""
    tokenizer, text_encoder, unet = parts
    pipeline: Any = StableDiffusionPipeline(
        vae=vae.to(memory_format=torch.contiguous_format),
        text_encoder=text_encoder,
        tokenizer=tokenizer,
        unet=unet,
        scheduler=make_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    shutil.rmtree(folder, ignore_errors=True)
    pipeline.to(dtype=torch.float16)
    pipeline.save_pretrained(folder)
    common.load_as_float32(folder / "text_encoder" / "config.json")
    common.make_shippable(folder)

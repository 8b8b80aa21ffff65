"""The autoencoder of both image models: 32×32 images to 8×8 latents and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL

from tools.embedded_training import common

BATCH = 64
STEPS = 800
RATE = 2e-3

# A small weight of the KL divergence is enough to regularise the latents.
PULL = 1e-4


def make_vae() -> Any:
    return AutoencoderKL(
        in_channels=3,
        out_channels=3,
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(16, 32, 32),
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=32,
        mid_block_add_attention=False,
    )


def as_input(pictures: np.ndarray) -> torch.Tensor:
    """Inputs of the autoencoder, three channels from -1 to 1, from grey values of 0 to 255."""
    grey = torch.from_numpy(pictures.astype(np.float32) / 127.5 - 1)
    return grey[:, None].expand(-1, 3, -1, -1)


def train_vae(pictures: np.ndarray, steps: int) -> Any:
    """Train the autoencoder, and scale its latents to unit variance."""
    vae = make_vae().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=RATE, weight_decay=0.0)
    schedule = common.warmup_cosine(optimizer, steps)
    average = common.WeightAverage([vae], 0.995)
    rng = np.random.default_rng(common.SEED)
    for step in range(steps):
        batch = as_input(pictures[rng.integers(0, len(pictures), BATCH)])
        batch = batch.contiguous(memory_format=torch.channels_last)
        with common.autocast():
            spread = vae.encode(batch).latent_dist
            restored = vae.decode(spread.sample()).sample
        wrong = restored.float() - batch
        loss = wrong.abs().mean() + wrong.square().mean() + PULL * spread.kl().float().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vae.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        if step % 50 == 0:
            print(f"vae step {step}/{steps} loss {loss.item():.4f}", flush=True)
    average.apply()
    vae.eval()
    return vae


@torch.inference_mode()
def encode_all(vae: Any, pictures: np.ndarray) -> torch.Tensor:
    """The latents of all images; sets the scaling factor that gives them unit variance."""
    parts = []
    for at in range(0, len(pictures), 500):
        batch = as_input(pictures[at : at + 500]).contiguous(memory_format=torch.channels_last)
        with common.autocast():
            parts.append(vae.encode(batch).latent_dist.mean.float())
    latents = torch.cat(parts)
    vae.register_to_config(scaling_factor=round(1 / float(latents.std()), 4))
    return latents * vae.config.scaling_factor


@torch.inference_mode()
def restore_error(vae: Any, pictures: np.ndarray) -> float:
    """Mean absolute reconstruction error in grey values (0 to 255)."""
    total = 0.0
    for at in range(0, len(pictures), 500):
        batch = as_input(pictures[at : at + 500])
        restored = vae.decode(vae.encode(batch).latent_dist.mode()).sample
        total += float((restored - batch).abs().mean()) * 127.5 * len(batch)
    return total / len(pictures)

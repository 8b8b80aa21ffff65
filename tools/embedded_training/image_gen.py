"""Image generation: small Stable Diffusion models for 32×32 images of clothes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL, StableDiffusionPipeline
from transformers import CLIPTextModel

from bench.workloads import embedded
from bench.workloads.embedded import image_judge
from tools.embedded_training import (
    common,
    image_parts,
    image_vae,
    near_duplicates,
    prompts,
    sources,
)

BATCH = 64
STEPS = {"tiny": 1800, "small": 3000}
RATE = {"tiny": 1.5e-3, "small": 1e-3}

# The share of empty prompts in training, for classifier-free guidance (Ho and Salimans 2022).
EMPTY = 0.12
DRAW_STEPS, GUIDANCE = 20, 3.0
CHECKED = 500


def make_noisy(scheduler: Any, clean: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Noisy latents, their random time steps, and the target of the UNet."""
    noise = torch.randn_like(clean)
    times = torch.randint(0, scheduler.config.num_train_timesteps, (len(clean),))
    noisy = scheduler.add_noise(clean, noise, times)
    return noisy, times, scheduler.get_velocity(clean, noise, times)


def learn(
    unet: Any,
    text_encoder: CLIPTextModel,
    latents: torch.Tensor,
    tokens: torch.Tensor,
    size: str,
    steps: int,
) -> None:
    """Train text encoder and UNet together to denoise; keep the averaged weights."""
    scheduler = image_parts.make_scheduler()
    unet.to(memory_format=torch.channels_last)
    weights = [*unet.parameters(), *text_encoder.parameters()]
    optimizer = torch.optim.AdamW(weights, lr=RATE[size], weight_decay=0.01)
    schedule = common.warmup_cosine(optimizer, steps)
    average = common.WeightAverage([unet, text_encoder], 0.998)
    mean_loss = 1.0
    for step in range(steps):
        chosen = torch.randint(0, len(latents), (BATCH,))
        words = tokens[chosen].clone()
        words[torch.rand(BATCH) < EMPTY] = tokens[-1]
        noisy, times, target = make_noisy(scheduler, latents[chosen])
        with common.autocast():
            states = text_encoder(input_ids=words)[0]
            guess = unet(noisy, times, encoder_hidden_states=states).sample
        loss = (guess.float() - target).square().mean()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        mean_loss += 0.02 * (loss.item() - mean_loss)
        if step % 50 == 0:
            print(f"image-gen {size} step {step}/{steps} loss {mean_loss:.4f}", flush=True)
    average.apply()
    unet.to(memory_format=torch.contiguous_format).eval()
    text_encoder.eval()


def agreement(folder: Path, rows: list[dict[str, str]], steps: int, guidance: float) -> float:
    """The share of generated images to which the judge gives the label of the prompt."""
    pipeline: Any = StableDiffusionPipeline.from_pretrained(folder)
    pipeline.set_progress_bar_config(disable=True)
    generator = torch.Generator().manual_seed(common.SEED)
    right = 0
    for at in range(0, len(rows), 50):
        part = rows[at : at + 50]
        drawn = pipeline(
            [row["prompt"] for row in part],
            num_inference_steps=steps,
            guidance_scale=guidance,
            generator=generator,
        ).images
        seen = image_judge.classify_images(drawn)
        right += sum(label == row["label"] for label, row in zip(seen, part, strict=True))
    return right / len(rows)


def shared_vae(job: common.Job, pictures: np.ndarray) -> Any:
    """The autoencoder of both sizes, trained once and cached with the raw data."""
    steps = image_vae.STEPS
    kept = job.raw / f"vae-{steps}"
    if not kept.is_dir():
        image_vae.train_vae(pictures, steps).save_pretrained(kept)
    vae: Any = AutoencoderKL.from_pretrained(kept)
    return vae.eval()


def train(job: common.Job) -> None:
    """Write requests, autoencoder, pipeline, its quality and the card of one size."""
    common.set_seeds()
    rows = prompts.shipped()
    common.write_rows("image-gen", rows)
    pictures, labels = sources.fashion(job.raw, "train")
    texts = prompts.training_prompts(labels, prompts.tone_of(pictures), common.SEED)
    folder = embedded.model_path("image-gen", job.size)
    vae = shared_vae(job, pictures)
    latents = image_vae.encode_all(vae, pictures)
    common.set_seeds()
    tokenizer = image_parts.make_tokenizer(texts)
    tokens = tokenizer([*texts, ""], padding="max_length", truncation=True, return_tensors="pt")[
        "input_ids"
    ]
    text_encoder = image_parts.make_text_encoder(job.size, tokenizer)
    unet = image_parts.make_unet(job.size)
    steps = job.steps(STEPS[job.size])
    learn(unet, text_encoder, latents, tokens, job.size, steps)
    minutes = job.minutes()
    image_parts.assemble(folder, vae, (tokenizer, text_encoder, unet))
    counts = {
        name: common.parameter_count([part])
        for name, part in (("UNet", unet), ("text encoder", text_encoder), ("autoencoder", vae))
    }
    card(job, folder, counts, f"{steps:,} steps of {BATCH} pictures", minutes)


def card(job: common.Job, folder: Path, counts: dict[str, int], steps: str, minutes: float) -> None:
    """Generate images for shipped prompts, score them with the judge, write the model card."""
    test_pictures, test_labels = sources.fashion(job.raw, "t10k")
    rows = prompts.shipped()[:CHECKED]
    same_grammar = prompts.of_training_grammar()[:CHECKED]
    vae = AutoencoderKL.from_pretrained(folder / "vae")
    share = agreement(folder, rows, DRAW_STEPS, GUIDANCE)
    same_share = agreement(folder, same_grammar, DRAW_STEPS, GUIDANCE)
    written = prompts.training_grammar()
    copied = near_duplicates.near_duplicate_share([row["prompt"] for row in rows], written)
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench image-gen, {job.size}",
            description="A Stable-Diffusion-shaped pipeline (text encoder, UNet, autoencoder, "
            "scheduler; "
            "no safety checker, as it can draw nothing but clothes) that draws grey 32×32 pictures "
            "of ten kinds of clothes, light or dark. It understands no other prompts.",
            parameters=counts,
            data="Fashion-MNIST (Zalando), from the Debian package `dataset-fashion-mnist`: 60,000 "
            "training pictures, padded to 32×32; prompts made by a small grammar from the label "
            "and the measured tone. The shipped prompts have other sentences than those in "
            "training.",
            data_licence="MIT (Expat), copyright 2017 Zalando SE.",
            command=f"{common.COMMAND} image-gen --size {job.size}",
            minutes=minutes,
            steps=steps + f"; the autoencoder, shared by both sizes, {image_vae.STEPS:,} "
            f"steps of {image_vae.BATCH} (trained once, in the first of the two runs)",
            quality={
                f"Judge sees what the prompt asked for ({len(rows)} shipped prompts, {DRAW_STEPS} "
                f"steps, guidance {GUIDANCE}; judge's own accuracy in its card)": f"{share:.1%}",
                f"The same for prompts of the training grammar ({len(same_grammar)} that were left "
                "out of training)": f"{same_share:.1%}",
                f"Autoencoder's mean error in grey values of 255 ({len(test_labels):,} real test "
                "pictures)": f"{image_vae.restore_error(vae, test_pictures):.1f}",
            },
            headline=common.Quality(
                metric="classifier agreement",
                value=share,
                baseline_name="pictures of one kind for every prompt",
                baseline_value=common.commonest_share([row["label"] for row in rows]),
                sample_count=len(rows),
                held_out_near_duplicate_share=copied,
                judge_trained_on="the same 60,000 training pictures as the model (Fashion-MNIST)",
            ),
            settings=f"`num_inference_steps={DRAW_STEPS}`, `guidance_scale={GUIDANCE}`, 32×32 "
            "pixels (the default size), with the saved scheduler (DDIM, v-prediction, trailing "
            "timesteps).",
            quick=job.quick,
        ),
    )

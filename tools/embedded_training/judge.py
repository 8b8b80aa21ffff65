"""The image judge: a small ResNet for the ten classes of Fashion-MNIST."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from transformers import ResNetConfig, ResNetForImageClassification

from bench.workloads import embedded
from bench.workloads.embedded.image_judge import prepare
from tools.embedded_training import common, sources

BATCH = 128
STEPS = 1500
RATE = 3e-3


def make_model() -> ResNetForImageClassification:
    names = dict(enumerate(sources.FASHION_CLASSES))
    return ResNetForImageClassification(
        ResNetConfig(
            num_channels=1,
            embedding_size=32,
            hidden_sizes=[32, 64, 96],
            depths=[1, 1, 1],
            layer_type="basic",
            id2label=names,
            label2id={name: place for place, name in names.items()},
        )
    )


def shifted(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Shift a batch by up to two pixels at random, as data augmentation."""
    return np.roll(pictures, tuple(rng.integers(-2, 3, 2)), axis=(1, 2))


def learn(
    model: Any,
    pictures: np.ndarray,
    labels: np.ndarray,
    steps: int,
    prepare: Callable[[np.ndarray], torch.Tensor] = prepare,
) -> None:
    """Train on random batches; `prepare` turns grey values into inputs of the network."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.02)
    schedule = common.warmup_cosine(optimizer, steps)
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=0.05)
    rng = np.random.default_rng(common.SEED)
    model.to(memory_format=torch.channels_last)
    model.train()
    for step in range(steps):
        chosen = rng.integers(0, len(pictures), BATCH)
        batch = prepare(shifted(pictures[chosen], rng)).to(memory_format=torch.channels_last)
        with common.autocast():
            logits = model(pixel_values=batch).logits
        loss = loss_of(logits.float(), torch.from_numpy(labels[chosen]))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 50 == 0:
            print(f"judge step {step}/{steps} loss {loss.item():.3f}", flush=True)
    model.eval()


@torch.inference_mode()
def accuracy(
    model: Any,
    pictures: np.ndarray,
    labels: np.ndarray,
    prepare: Callable[[np.ndarray], torch.Tensor] = prepare,
) -> float:
    """The accuracy on images and their labels."""
    right = 0
    for at in range(0, len(pictures), 500):
        guesses = model(pixel_values=prepare(pictures[at : at + 500])).logits.argmax(-1)
        right += int((guesses.numpy() == labels[at : at + 500]).sum())
    return right / len(pictures)


def train(job: common.Job) -> None:
    """Write the model, its accuracy on real test images, and its card."""
    common.set_seeds()
    pictures, labels = sources.fashion(job.raw, "train")
    test_pictures, test_labels = sources.fashion(job.raw, "t10k")
    model: Any = make_model()
    print(f"judge: {common.parameter_count([model]):,} parameters", flush=True)
    steps = job.steps(STEPS)
    learn(model, pictures, labels, steps)
    minutes = job.minutes()
    folder = embedded.judge_path()
    model.to(memory_format=torch.contiguous_format)
    common.save_half(model, folder)
    model = ResNetForImageClassification.from_pretrained(folder).eval()
    share = accuracy(model, test_pictures, test_labels)
    common.write_card(
        folder,
        common.ModelCard(
            title="JouleBench judge of drawn clothes",
            description="A small ResNet that says which of ten kinds of clothes a 32×32 "
            "picture shows. It "
            "checks whether the pictures of the image-gen models show what the prompt asked for; "
            "it is no benchmark task itself. It was trained on the pictures the drawing models "
            "learned from too, so it tells nothing about how varied or new a drawing is.",
            parameters={"classifier": common.parameter_count([model])},
            data="Fashion-MNIST (Zalando), from the Debian package `dataset-fashion-mnist`: 60,000 "
            "training pictures, padded to 32×32; the 10,000 test pictures were held out.",
            data_licence="MIT (Expat), copyright 2017 Zalando SE.",
            command=f"{common.COMMAND} judge",
            minutes=minutes,
            steps=f"{steps:,} steps of {BATCH} pictures",
            quality={
                f"Accuracy on real test pictures ({len(test_labels):,})": f"{share:.1%}",
            },
            headline=common.Quality(
                metric="accuracy",
                value=share,
                baseline_name="the commonest label",
                baseline_value=common.commonest_share(test_labels.tolist()),
                sample_count=len(test_labels),
                held_out_near_duplicate_share=None,
            ),
            settings="`bench.workloads.embedded.image_judge.classify_images(images)` "
            "prepares pictures the right way.",
            quick=job.quick,
        ),
    )

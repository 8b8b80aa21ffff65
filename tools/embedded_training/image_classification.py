"""Image classification: small ResNets that learn the ten classes of Fashion-MNIST."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import ResNetConfig, ResNetForImageClassification, ViTImageProcessor

from bench.workloads import embedded
from tools.embedded_training import common, judge, sources

STEPS = 1500
WIDTHS = {"tiny": [16, 32, 48], "small": [32, 64, 96]}

# Shipped test images of each class, and tiles side by side on the sheet.
SHIPPED_PER_CLASS = 50
COLUMNS = 25
SIDE = 28

# Images are enlarged more than twice, as the first layers reduce them by four.
SEEN = 64


def make_model(size: str) -> ResNetForImageClassification:
    names = dict(enumerate(sources.FASHION_CLASSES))
    return ResNetForImageClassification(
        ResNetConfig(
            num_channels=3,
            embedding_size=WIDTHS[size][0],
            hidden_sizes=WIDTHS[size],
            depths=[1, 1, 1],
            layer_type="basic",
            id2label=names,
            label2id={name: place for place, name in names.items()},
        )
    )


def prepare(pictures: np.ndarray) -> torch.Tensor:
    """Grey values (N×28×28, 0 to 255) as the image processor of the models would give them."""
    grey = torch.as_tensor(pictures, dtype=torch.float32)[:, None] / 127.5 - 1
    grown = torch.nn.functional.interpolate(grey, size=SEEN, mode="bilinear", align_corners=False)
    return grown.expand(-1, 3, -1, -1)


def shipped(labels: np.ndarray) -> np.ndarray:
    """Indices of the shipped test images: equally many of every class, shuffled."""
    rng = np.random.default_rng(common.SEED)
    places = [
        rng.choice(np.flatnonzero(labels == label), SHIPPED_PER_CLASS, replace=False)
        for label in range(len(sources.FASHION_CLASSES))
    ]
    return rng.permutation(np.concatenate(places))


def write_data(pictures: np.ndarray, labels: np.ndarray) -> None:
    """Write one sheet with all images, and the rows with the tile and the label of each."""
    lines = -(-len(pictures) // COLUMNS)
    sheet = np.zeros((lines * SIDE, COLUMNS * SIDE), np.uint8)
    rows: list[dict[str, Any]] = []
    for number, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        y, x = SIDE * (number // COLUMNS), SIDE * (number % COLUMNS)
        sheet[y : y + SIDE, x : x + SIDE] = picture
        rows.append(
            {
                "image": "image-classification.png",
                "tile": [x, y, x + SIDE, y + SIDE],
                "label": sources.FASHION_CLASSES[label],
            }
        )
    Image.fromarray(sheet).save(
        embedded.FOLDER / "data" / "image-classification.png", optimize=True
    )
    common.write_rows("image-classification", rows)


def train(job: common.Job) -> None:
    """Write data, model, image processor, its accuracy and the card of one size."""
    common.set_seeds()
    padded, labels = sources.fashion(job.raw, "train")
    test_padded, test_labels = sources.fashion(job.raw, "t10k")
    pictures, test_pictures = padded[:, 2:-2, 2:-2], test_padded[:, 2:-2, 2:-2]
    chosen = shipped(test_labels)
    write_data(test_pictures[chosen], test_labels[chosen])
    model: Any = make_model(job.size)
    print(f"{job.size}: {common.parameter_count([model]):,} parameters", flush=True)
    steps = job.steps(STEPS)
    judge.learn(model, pictures, labels, steps, prepare)
    minutes = job.minutes()
    folder = embedded.FOLDER / "models" / "image-classification" / job.size
    model.to(memory_format=torch.contiguous_format)
    common.save_half(model, folder)
    ViTImageProcessor(size={"height": SEEN, "width": SEEN}).save_pretrained(folder)
    model = ResNetForImageClassification.from_pretrained(folder).eval()
    whole = judge.accuracy(model, test_pictures, test_labels, prepare)
    sent = judge.accuracy(model, test_pictures[chosen], test_labels[chosen], prepare)
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench image classification, {job.size}",
            description="A small ResNet that says which of ten kinds of clothes a 28×28 "
            "picture shows.",
            parameters={"classifier": common.parameter_count([model])},
            data="Fashion-MNIST (Zalando), from the Debian package `dataset-fashion-mnist`: 60,000 "
            "training pictures; the 10,000 test pictures were held out.",
            data_licence="MIT (Expat), copyright 2017 Zalando SE.",
            command=f"{common.COMMAND} image-classification --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {judge.BATCH} pictures",
            quality={
                f"Accuracy ({len(chosen)} shipped test pictures)": f"{sent:.1%}",
                f"Accuracy (all {len(test_labels):,} test pictures)": f"{whole:.1%}",
            },
            headline=common.Quality(
                metric="accuracy",
                value=sent,
                baseline_name="the commonest label",
                baseline_value=common.commonest_share(test_labels[chosen].tolist()),
                sample_count=len(chosen),
                held_out_near_duplicate_share=None,
            ),
            settings="The image processor that lies beside the weights prepares pictures.",
            quick=job.quick,
        ),
    )

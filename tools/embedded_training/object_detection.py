"""Object detection: small RT-DETR models; images composed of real clothes."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import (
    RTDetrConfig,
    RTDetrForObjectDetection,
    RTDetrImageProcessorPil,
    RTDetrResNetConfig,
)

from bench.task import Box, Output
from bench.workloads import embedded
from tools.embedded_training import common, evaluation, sources

COUNT = 40
WIDTH, HEIGHT = 256, 192
SCALES = (1.0, 1.5, 2.0)
MOST = 6

# Darker pixels belong to the background.
FAINTEST = 16
GAP = 4

# Widths of the two stages and of the decoder.
SHAPES = {"tiny": ([16, 24], 24), "small": ([28, 48], 48)}
HEADS = 4
QUERIES = 20
DENOISING = 20
STEPS = {"tiny": 1000, "small": 320}
BATCH = 16
BASELINE_CANVASES = 1000
RATE = {"tiny": 3e-3, "small": 2e-3}
Corners = tuple[int, int, int, int]


def apart(one: Corners, other: Corners) -> bool:
    """Whether two boxes leave a gap between them."""
    return (
        one[2] + GAP <= other[0]
        or other[2] + GAP <= one[0]
        or one[3] + GAP <= other[1]
        or other[3] + GAP <= one[1]
    )


def piece(picture: np.ndarray, scale: float) -> np.ndarray:
    """One item of clothing, scaled and cropped to its bounding box."""
    side = round(picture.shape[0] * scale)
    grown = np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BILINEAR))
    rows, columns = np.where(grown >= FAINTEST)
    return grown[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def canvas(
    pictures: np.ndarray, labels: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, list[Corners], list[str]]:
    """Two to six items that do not touch, at random positions, with box and label."""
    ground = np.zeros((HEIGHT, WIDTH), np.uint8)
    boxes: list[Corners] = []
    names: list[str] = []
    wanted = int(rng.integers(2, MOST + 1))
    while len(boxes) < wanted:
        index = int(rng.integers(len(pictures)))
        shown = piece(pictures[index], float(rng.choice(SCALES)))
        height, width = shown.shape
        x0, y0 = int(rng.integers(WIDTH - width + 1)), int(rng.integers(HEIGHT - height + 1))
        box = (x0, y0, x0 + width, y0 + height)
        if all(apart(box, other) for other in boxes):
            ground[y0 : box[3], x0 : box[2]] = shown
            boxes.append(box)
            names.append(sources.FASHION_CLASSES[labels[index]])
    return ground, boxes, names


def write_data(job: common.Job) -> None:
    """Write 40 images composed of test images, and the rows with their boxes."""
    pictures, labels = sources.fashion(job.raw, "t10k")
    rng = np.random.default_rng(common.SEED)
    folder = embedded.FOLDER / "data" / "object-detection"
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number in range(COUNT):
        ground, boxes, names = canvas(pictures, labels, rng)
        file = f"object-detection/{number:02}.png"
        Image.fromarray(ground).save(embedded.FOLDER / "data" / file, optimize=True)
        objects = {"bbox": [list(box) for box in boxes], "category": names}
        rows.append({"image": file, "objects": objects})
    common.write_rows("object-detection", rows)


def make_model(size: str) -> Any:
    """RT-DETR with one feature level of stride 8 and no layer that mixes scales."""
    stages, width = SHAPES[size]
    names = dict(enumerate(sources.FASHION_CLASSES))
    return RTDetrForObjectDetection(
        RTDetrConfig(
            backbone_config=RTDetrResNetConfig(
                embedding_size=stages[0],
                hidden_sizes=stages,
                depths=[1, 2],
                layer_type="basic",
                out_indices=[2],
            ),
            freeze_backbone_batch_norms=False,
            encoder_in_channels=stages[-1:],
            feat_strides=[8],
            encode_proj_layers=[],
            encoder_hidden_dim=width,
            encoder_attention_heads=HEADS,
            d_model=width,
            decoder_in_channels=[width],
            num_feature_levels=1,
            decoder_layers=1,
            decoder_ffn_dim=2 * width,
            decoder_attention_heads=HEADS,
            num_queries=QUERIES,
            num_denoising=DENOISING,
            id2label=names,
            label2id={name: place for place, name in names.items()},
        )
    )


def targets(boxes: list[Corners], names: list[str]) -> dict[str, torch.Tensor]:
    """The boxes of one canvas as centre, width and height, as shares of the canvas."""
    corners = torch.tensor(boxes, dtype=torch.float32) / torch.tensor([WIDTH, HEIGHT] * 2)
    sides = corners[:, 2:] - corners[:, :2]
    labels = torch.tensor([sources.FASHION_CLASSES.index(name) for name in names])
    return {"boxes": torch.cat([corners[:, :2] + sides / 2, sides], 1), "class_labels": labels}


def learn(model: Any, size: str, steps: int, pictures: np.ndarray, labels: np.ndarray) -> None:
    """Train on canvases of which none is used twice; the final weights are their moving average."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE[size], weight_decay=0.01)
    schedule = common.warmup_cosine(optimizer, steps)
    average = common.WeightAverage([model], 0.99)
    rng = np.random.default_rng(common.SEED + 1)
    model.to(memory_format=torch.channels_last).train()
    for step in range(steps):
        canvases = [canvas(pictures, labels, rng) for _ in range(BATCH)]
        grey = torch.from_numpy(np.stack([shown for shown, _, _ in canvases]))[:, None] / 255
        answers = [targets(boxes, names) for _, boxes, names in canvases]
        pixels = grey.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)
        with common.autocast():
            loss = model(pixel_values=pixels, labels=answers).loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        if step % 50 == 0:
            print(f"object-detection {size} step {step}/{steps} {loss.item():.3f}", flush=True)
    average.apply()
    model.to(memory_format=torch.contiguous_format).eval()


def mean_box(pictures: np.ndarray, labels: np.ndarray) -> Box:
    """The baseline: the mean box of training canvases with their commonest label."""
    rng = np.random.default_rng(common.SEED + 2)
    canvases = [canvas(pictures, labels, rng) for _ in range(BASELINE_CANVASES)]
    corners = np.mean([box for _, boxes, _ in canvases for box in boxes], axis=0)
    names = Counter(name for _, _, some in canvases for name in some)
    x0, y0, x1, y1 = (float(value) for value in corners)
    return Box(names.most_common(1)[0][0], 1.0, (x0, y0, x1, y1))


def train(job: common.Job) -> None:
    """Write data, model, image processor, its mean average precision and the card of one size."""
    common.set_seeds()
    write_data(job)
    pictures, labels = sources.fashion(job.raw, "train")
    model = make_model(job.size)
    count = common.parameter_count([model])
    print(f"{job.size}: {count:,} parameters", flush=True)
    steps = job.steps(STEPS[job.size])
    learn(model, job.size, steps, pictures, labels)
    minutes, processor_minutes = job.minutes(), job.processor_minutes()
    folder = embedded.FOLDER / "models" / "object-detection" / job.size
    common.save_half(model, folder)
    size = {"height": HEIGHT, "width": WIDTH}
    RTDetrImageProcessorPil(size=size).save_pretrained(folder)
    answers = evaluation.serve("object-detection", job.size)
    metric, value = "mean average precision", evaluation.metric_value("object-detection", answers)
    guess = Output(boxes=(mean_box(pictures, labels),))
    baseline = evaluation.metric_value("object-detection", evaluation.constant(answers, guess))
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench object detection, {job.size}",
            description="A small RT-DETR that finds ten kinds of clothes on canvases of 256×192 "
            "pixels.",
            parameters={"detector": count},
            data="Canvases composed of the 60,000 training pictures of Fashion-MNIST (Zalando; "
            "Debian package `dataset-fashion-mnist`), no canvas twice. The shipped canvases are "
            "composed of test pictures.",
            data_licence="MIT (Expat), copyright 2017 Zalando SE.",
            command=f"{common.COMMAND} object-detection --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {BATCH} canvases, "
            f"{processor_minutes:.1f} minutes of processor time",
            quality={f"{metric} ({len(answers)} shipped canvases)": f"{value:.3f}"},
            headline=common.Quality(
                metric=metric,
                value=value,
                baseline_name="the mean box with the commonest label",
                baseline_value=baseline,
                sample_count=len(answers),
                held_out_near_duplicate_share=None,
            ),
            settings="The image processor that lies beside the weights prepares pictures.",
            quick=job.quick,
        ),
    )

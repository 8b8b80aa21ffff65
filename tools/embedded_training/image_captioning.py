"""Image captioning: small BLIP models; photos and canvases of clothes with captions."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    BlipConfig,
    BlipForConditionalGeneration,
    BlipImageProcessorPil,
    PreTrainedTokenizerFast,
)

from bench.task import Output
from bench.workloads import embedded
from bench.workloads.metrics import rouge_l
from tools.embedded_training import caption_canvases, common, evaluation, sources

LONGEST_SIDE_PIXELS = 320
CANVASES = 45

# Width, and layers of the image encoder and of the text decoder.
SHAPES = {"tiny": (28, 2, 1), "small": (44, 4, 1)}
PATCH = caption_canvases.CELL
HEADS = 4
STEPS = {"tiny": 650, "small": 500}
BATCH = 32
RATE = {"tiny": 3e-3, "small": 2e-3}
PAD, START, END, UNKNOWN = "[PAD]", "[START]", "[END]", "[UNKNOWN]"


def captions() -> dict[str, list[str]]:
    """Three captions of each photo of scikit-image, by file name."""
    text = Path(__file__).with_name("captions.json").read_text(encoding="utf-8")
    by_file: dict[str, list[str]] = json.loads(text)
    return by_file


def clothes(raw: Path, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (N×28×28) and labels of Fashion-MNIST; train or t10k."""
    padded, labels = sources.fashion(raw, part)
    return padded[:, 2:-2, 2:-2], labels


def held_out_canvases(raw: Path) -> list[tuple[np.ndarray, list[str]]]:
    """The canvases that ship, made of test pictures, with their captions."""
    rng = np.random.default_rng(common.SEED)
    pictures, labels = clothes(raw, "t10k")
    return [caption_canvases.canvas(pictures, labels, rng)[:2] for _ in range(CANVASES)]


def write_data(raw: Path) -> None:
    """Write every photo, reduced to 320 pixels a side, every canvas, and the rows."""
    folder = embedded.FOLDER / "data" / "image-captioning"
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[dict[str, Any]] = []
    for number, (ground, texts) in enumerate(held_out_canvases(raw)):
        name = f"image-captioning/clothes-{number:02}.png"
        Image.fromarray(ground).save(embedded.FOLDER / "data" / name, optimize=True)
        rows.append({"image": name, "captions": texts})
    photos = sources.photo_folder(raw)
    for file, texts in captions().items():
        image = Image.open(photos / file).convert("RGB")
        image.thumbnail((LONGEST_SIDE_PIXELS, LONGEST_SIDE_PIXELS))
        short = file.partition(".")[0].replace("_", "-")
        image.save(folder / f"{short}.jpg", quality=85, optimize=True)
        rows.append({"image": f"image-captioning/{short}.jpg", "captions": texts})
    common.write_rows("image-captioning", rows)


def make_tokenizer() -> PreTrainedTokenizerFast:
    """One token for each word of the captions."""
    tokens = [PAD, START, END, UNKNOWN, *caption_canvases.vocabulary()]
    words = {token: place for place, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        eos_token=END,
        unk_token=UNKNOWN,
    )


def make_model(size: str, tokenizer: PreTrainedTokenizerFast) -> Any:
    width, image_layers, text_layers = SHAPES[size]
    shared = {
        "hidden_size": width,
        "intermediate_size": 2 * width,
        "num_attention_heads": HEADS,
        "projection_dim": width,
    }
    return BlipForConditionalGeneration(
        BlipConfig(
            vision_config={
                **shared,
                "num_hidden_layers": image_layers,
                "image_size": caption_canvases.SIDE,
                "patch_size": PATCH,
                "initializer_range": 0.02,
            },
            text_config={
                **shared,
                "num_hidden_layers": text_layers,
                "encoder_hidden_size": width,
                "vocab_size": len(tokenizer),
                "max_position_embeddings": 32,
                "label_smoothing": 0.0,
                "pad_token_id": tokenizer.pad_token_id,
                "bos_token_id": tokenizer.bos_token_id,
                "eos_token_id": tokenizer.eos_token_id,
                "sep_token_id": tokenizer.eos_token_id,
            },
            projection_dim=width,
            image_text_hidden_size=width,
        )
    )


def make_processor() -> BlipImageProcessorPil:
    side = caption_canvases.SIDE
    return BlipImageProcessorPil(size={"height": side, "width": side})


def learn(
    model: Any,
    size: str,
    steps: int,
    tokenizer: PreTrainedTokenizerFast,
    pictures: np.ndarray,
    labels: np.ndarray,
) -> None:
    """Train on canvases of which none is used twice; the final weights are their moving average.

    A linear layer that does not ship also learns the kind of clothes at the centre of each patch;
    from captions alone the image encoder learns the kinds far more slowly.
    """
    patch_classifier = torch.nn.Linear(SHAPES[size][0], caption_canvases.BACKGROUND + 1)
    optimizer = torch.optim.AdamW(
        [*model.parameters(), *patch_classifier.parameters()], lr=RATE[size], weight_decay=0.01
    )
    schedule = common.warmup_cosine(optimizer, steps)
    average = common.WeightAverage([model], 0.99)
    rng = np.random.default_rng(common.SEED + 1)
    processor = make_processor()
    means, deviations = (
        torch.tensor(values).view(1, 3, 1, 1)
        for values in (processor.image_mean, processor.image_std)
    )
    model.train()
    for step in range(steps):
        canvases = [caption_canvases.canvas(pictures, labels, rng) for _ in range(BATCH)]
        grey = torch.from_numpy(np.stack([ground for ground, _, _ in canvases]))[:, None] / 255
        texts = [f"{START} {captions[0]} {END}" for _, captions, _ in canvases]
        masks = torch.from_numpy(np.stack([mask for _, _, mask in canvases]))
        kinds = masks[:, PATCH // 2 :: PATCH, PATCH // 2 :: PATCH].flatten(1)
        words = tokenizer(texts, padding=True, return_tensors="pt")
        hidden = words.attention_mask == 0
        with common.autocast():
            output = model(
                pixel_values=(grey - means) / deviations,
                input_ids=words.input_ids,
                attention_mask=words.attention_mask,
                labels=words.input_ids.masked_fill(hidden, -100),
            )
            guesses = patch_classifier(output.last_hidden_state[:, 1:])
        kind_loss = torch.nn.functional.cross_entropy(guesses.float().mT, kinds)
        loss = output.loss + kind_loss
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        if step % 50 == 0:
            print(
                f"image-captioning {size} step {step}/{steps} {output.loss.item():.3f}"
                f" {kind_loss.item():.3f}",
                flush=True,
            )
    average.apply()
    model.eval()


def best_constant_caption(pictures: np.ndarray, labels: np.ndarray) -> str:
    """The baseline: of 50 frequent training captions the one with the highest ROUGE-L."""
    rng = np.random.default_rng(common.SEED + 2)
    texts = [caption_canvases.canvas(pictures, labels, rng)[1] for _ in range(2000)]
    frequent = Counter(captions[0] for captions in texts).most_common(50)
    sample = texts[:100]
    return max(
        (caption for caption, _ in frequent),
        key=lambda caption: rouge_l.value([(captions, caption) for captions in sample]),
    )


def train(job: common.Job) -> None:
    """Write data, model, tokenizer, image processor, its ROUGE-L and the card of one size."""
    common.set_seeds()
    write_data(job.raw)
    pictures, labels = clothes(job.raw, "train")
    tokenizer = make_tokenizer()
    model = make_model(job.size, tokenizer)
    count = common.parameter_count([model])
    print(f"{job.size}: {count:,} parameters", flush=True)
    steps = job.steps(STEPS[job.size])
    learn(model, job.size, steps, tokenizer, pictures, labels)
    minutes, processor_minutes = job.minutes(), job.processor_minutes()
    folder = embedded.FOLDER / "models" / "image-captioning" / job.size
    common.save_half(model, folder)
    tokenizer.save_pretrained(folder)
    make_processor().save_pretrained(folder)
    answers = evaluation.serve("image-captioning", job.size)
    found, canvases, photos = (
        evaluation.evaluate("image-captioning", some)
        for some in (answers, answers[:CANVASES], answers[CANVASES:])
    )
    caption = best_constant_caption(pictures, labels)
    baseline = evaluation.metric_value(
        "image-captioning", evaluation.constant(answers, Output(text=caption))
    )
    common.write_card(
        folder,
        common.ModelCard(
            title=f"JouleBench image captioning, {job.size}",
            description="A small BLIP that says which clothes lie on a canvas of 112×112 pixels, "
            "how many, and where. It knows nothing else: its captions of photos are wrong.",
            parameters={"captioner": count},
            data="Canvases composed of the 60,000 training pictures of Fashion-MNIST (Zalando; "
            "Debian package `dataset-fashion-mnist`), no canvas twice, with captions from a "
            "grammar. The shipped canvases are composed of test pictures; the same captions may "
            "occur on both sides.",
            data_licence="MIT (Expat), copyright 2017 Zalando SE.",
            command=f"{common.COMMAND} image-captioning --size {job.size}",
            minutes=minutes,
            steps=f"{steps:,} steps of {BATCH} canvases, "
            f"{processor_minutes:.1f} minutes of processor time",
            quality={
                f"{found.metric} ({found.sample_count} shipped images)": (
                    evaluation.with_interval(found)
                ),
                f"{found.metric} ({canvases.sample_count} shipped canvases)": (
                    evaluation.with_interval(canvases)
                ),
                f"{found.metric} ({photos.sample_count} shipped photos, unlike its training)": (
                    evaluation.with_interval(photos)
                ),
            },
            headline=common.Quality(
                metric=found.metric,
                value=found.value,
                baseline_name=f'the best constant caption, "{caption}"',
                baseline_value=baseline,
                sample_count=found.sample_count,
                held_out_near_duplicate_share=None,
            ),
            settings="The tokenizer and the image processor lie beside the weights.",
            quick=job.quick,
        ),
    )

"""`python -m tools.embedded_training duplicates`: near-duplicates of held-out rows in training.

Texts are compared by `near_duplicates`, pictures by the correlation of their pixels. Where the
training rows are not made again here, the figure is that of the training script, in the model's
`quality.json`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from bench.workloads import embedded
from tools.embedded_training import (
    entity_rows,
    image_classification,
    near_duplicates,
    period_rows,
    prompts,
    sources,
    summarization_rows,
    text_rows,
)

# Pictures of different clothes of Fashion-MNIST correlate by up to about 0.98.
CORRELATION = 0.99


def text_gen(raw: Path) -> float:
    train, _ = text_rows.documents(raw)
    held = [f"{row['text']} {row['continuation']}" for row in embedded.rows("text-gen")]
    return sum(near_duplicates.contained(held, train)) / len(held)


def text_classification(raw: Path) -> float:
    train, _ = period_rows.split(raw)
    return _share("text-classification", [row["text"] for row in train])


def summarization(raw: Path) -> float:
    return _share("summarization", [row["text"] for row in summarization_rows.training_rows()])


def token_classification(raw: Path) -> float:
    held = [" ".join(row["tokens"]) for row in embedded.rows("token-classification")]
    train = [entity_rows.text_of(row) for row in entity_rows.training_rows()]
    return near_duplicates.near_duplicate_share(held, train)


def image_gen(raw: Path) -> float:
    held = [row["prompt"] for row in embedded.rows("image-gen")]
    return near_duplicates.near_duplicate_share(held, prompts.training_grammar())


def image_classification_pictures(raw: Path) -> float:
    """Share of the shipped pictures that correlate by `CORRELATION` or more with a training one."""
    train, _ = sources.fashion(raw, "train")
    test, labels = sources.fashion(raw, "t10k")
    held = _standardized(test[image_classification.shipped(labels)])
    return float(((held @ _standardized(train).T).max(axis=1) >= CORRELATION).mean())


def _standardized(pictures: np.ndarray) -> np.ndarray:
    flat = pictures.reshape(len(pictures), -1).astype(np.float32)
    flat -= flat.mean(axis=1, keepdims=True)
    return np.asarray(flat / np.linalg.norm(flat, axis=1, keepdims=True))


def _share(task_id: str, train: list[str]) -> float:
    held = [str(row["text"]) for row in embedded.rows(task_id)]
    return near_duplicates.near_duplicate_share(held, train)


SHARES: dict[str, Callable[[Path], float]] = {
    "text-gen": text_gen,
    "text-classification": text_classification,
    "summarization": summarization,
    "token-classification": token_classification,
    "image-gen": image_gen,
    "image-classification": image_classification_pictures,
}


def report(raw: Path) -> None:
    """Print the share of held-out rows with a near-duplicate in training, for every task."""
    for task_id in embedded.TASK_IDS:
        if task_id in SHARES:
            print(f"{task_id:<22} {SHARES[task_id](raw):.2%}", flush=True)
            continue
        stated = embedded.quality(task_id, "tiny")
        share = stated.get("held_out_near_duplicate_share")
        if share is None:
            print(f"{task_id:<22} no figure: {'no text' if stated['trained'] else 'not trained'}")
        else:
            print(f"{task_id:<22} {share:.2%} (in quality.json, by the training script)")

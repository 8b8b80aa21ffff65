"""Measures settings that save training energy: python examples/training_ablation.py

Trains the embedded text classifier repeatedly under `track()`: from scratch and by fine-tuning,
in float32 and bfloat16, with and without early stopping and gradient accumulation. Every round
trains each variant once, in random order, so that a drift of the machine affects all alike. The
table goes to docs/levers.md, with the emissions of the same work on other grids.

The data are the 1,100 passages of speeches that ship with the package. The shipped model, from
which fine-tuning starts, was not trained on them; the energy of its own training is not included.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import platform
import random
import sys
from dataclasses import dataclass
from pathlib import Path

# One thread, so that CPU time is work and not threads that wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))  # for `tools`, which is not installed

import ablation_page
import torch
from ablation_page import TrainingRun
from transformers import BertForSequenceClassification, BertTokenizer
from transformers.utils import logging

from bench.impact import hourly_profile
from bench.tracker.code_block import track
from bench.workloads import embedded
from tools.embedded_training import common, text_classification
from tools.embedded_training.period_rows import PERIODS

TASK, SIZE = "text-classification", "tiny"
TRAINING_ROWS, VALIDATION_ROWS = 600, 100  # the other passages are the test set
BATCH = 32
MAX_TOKENS = 64  # of the beginning of a passage
PATIENCE = 2  # epochs without a lower validation loss before early stopping

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class TrainingVariant:
    """One setting of the training. A batch is accumulated from `accumulation_steps` parts."""

    name: str
    fine_tuned: bool = False
    bfloat16: bool = False
    early_stopping: bool = False
    accumulation_steps: int = 1

    def max_epochs(self, quick: bool) -> int:
        """Upper limit of passes over the training set; fine-tuning needs fewer."""
        return 1 if quick else 3 if self.fine_tuned else 10


BASELINE = TrainingVariant("from scratch, float32")
VARIANTS = (
    BASELINE,
    TrainingVariant("bfloat16", bfloat16=True),
    TrainingVariant("early stopping", early_stopping=True),
    TrainingVariant("gradient accumulation, 4 parts", accumulation_steps=4),
    TrainingVariant("fine-tuning", fine_tuned=True),
    TrainingVariant("fine-tuning, bfloat16, early stopping", True, True, True),
)


@dataclass(frozen=True)
class DataSplit:
    """The shipped passages in three parts."""

    training: Rows
    validation: Rows
    test: Rows


def split_data(quick: bool) -> DataSplit:
    rows = list(embedded.rows(TASK))
    random.Random(common.SEED).shuffle(rows)
    if quick:
        return DataSplit(rows[:32], rows[32:48], rows[48:80])
    test_start = TRAINING_ROWS + VALIDATION_ROWS
    return DataSplit(rows[:TRAINING_ROWS], rows[TRAINING_ROWS:test_start], rows[test_start:])


def device() -> str:
    return "cuda:0" if torch.cuda.is_available() else "cpu"


def mean_loss(
    model: BertForSequenceClassification, tokenizer: BertTokenizer, rows: Rows
) -> torch.Tensor:
    inputs = {
        name: ids.to(device()) for name, ids in text_classification.encode(tokenizer, rows).items()
    }
    labels = torch.tensor([PERIODS.index(row["label"]) for row in rows], device=device())
    return torch.nn.functional.cross_entropy(model(**inputs).logits.float(), labels)


def train(
    variant: TrainingVariant, tokenizer: BertTokenizer, data: DataSplit, seed: int, quick: bool
) -> BertForSequenceClassification:
    """Train one model; this is the measured work."""
    common.set_seeds(seed)
    model = initial_model(variant)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4 if variant.fine_tuned else 2e-3)
    best_loss, best_weights, epochs_without_progress = math.inf, None, 0
    for epoch in range(variant.max_epochs(quick)):
        model.train()
        for batch in batches(data.training, random.Random(seed + epoch)):
            training_step(variant, model, tokenizer, batch, optimizer)
        if not variant.early_stopping:
            continue
        model.eval()
        with torch.inference_mode():
            loss = mean_loss(model, tokenizer, data.validation).item()
        epochs_without_progress += 1
        if loss < best_loss:
            best_loss, best_weights = loss, copy.deepcopy(model.state_dict())
            epochs_without_progress = 0
        if epochs_without_progress >= PATIENCE:
            break
    if best_weights is not None:
        model.load_state_dict(best_weights)
    return model.eval()


def batches(rows: Rows, rng: random.Random) -> list[Rows]:
    """The batches of one epoch, in random order."""
    shuffled = rng.sample(rows, len(rows))
    return [shuffled[at : at + BATCH] for at in range(0, len(shuffled), BATCH)]


def initial_model(variant: TrainingVariant) -> BertForSequenceClassification:
    if not variant.fine_tuned:
        return text_classification.make_model(SIZE).to(device())
    folder = embedded.model_path(TASK, SIZE)
    return BertForSequenceClassification.from_pretrained(folder).to(device())


def training_step(
    variant: TrainingVariant,
    model: BertForSequenceClassification,
    tokenizer: BertTokenizer,
    batch: Rows,
    optimizer: torch.optim.Optimizer,
) -> None:
    size = math.ceil(len(batch) / variant.accumulation_steps)
    optimizer.zero_grad(set_to_none=True)
    for start in range(0, len(batch), size):
        part = batch[start : start + size]
        kind = device().partition(":")[0]
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=variant.bfloat16):
            loss = mean_loss(model, tokenizer, part)
        (loss * len(part) / len(batch)).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


@torch.inference_mode()
def predict_correctly(
    model: BertForSequenceClassification, tokenizer: BertTokenizer, rows: Rows
) -> tuple[float, ...]:
    """1 for each passage that the model labels correctly, 0 for the others."""
    correct = []
    for start in range(0, len(rows), 50):
        part = rows[start : start + 50]
        inputs = {
            name: ids.to(device())
            for name, ids in text_classification.encode(tokenizer, part).items()
        }
        labels = [text_classification.LABELS[i] for i in model(**inputs).logits.argmax(-1).tolist()]
        correct += [float(label == row["label"]) for label, row in zip(labels, part, strict=True)]
    return tuple(correct)


def measure_training(
    variant: TrainingVariant, tokenizer: BertTokenizer, data: DataSplit, seed: int, quick: bool
) -> TrainingRun:
    """Train one model under `track()` and evaluate it. Exits where an energy is missing."""
    with track(devices=[0] if device() != "cpu" else []) as measurement:
        model = train(variant, tokenizer, data, seed, quick)
        if device() != "cpu":
            torch.cuda.synchronize()
    measured = [r for r in measurement.readings if r.method != "modelled"]
    readings = measured or list(measurement.readings)
    missing = [r.domain for r in readings if r.energy_joules is None]
    if missing:
        raise SystemExit(f"the energy of {missing[0]} could not be read: see joulebench doctor")
    return TrainingRun(
        joules=math.fsum(r.energy_joules or 0.0 for r in readings),
        seconds=measurement.duration_seconds or 0.0,
        domains=tuple(r.domain for r in readings),
        modelled=not measured,
        correct=predict_correctly(model, tokenizer, data.test),
    )


def measure(rounds: int, quick: bool) -> ablation_page.Runs:
    """Train every variant once a round, in random order."""
    tokenizer = BertTokenizer.from_pretrained(embedded.model_path(TASK, SIZE))
    tokenizer.model_max_length = MAX_TOKENS
    data = split_data(quick)
    # The first training also pays for lazy initialization, so it is not kept.
    measure_training(VARIANTS[-1], tokenizer, data, common.SEED, True)
    runs: ablation_page.Runs = {variant.name: [] for variant in VARIANTS}
    for number in range(rounds):
        for variant in random.Random(number).sample(VARIANTS, len(VARIANTS)):
            run = measure_training(variant, tokenizer, data, common.SEED + number, quick)
            runs[variant.name].append(run)
            print(f"round {number + 1}/{rounds}: {variant.name}, {run.joules:.1f} J", flush=True)
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6, help="trainings of each variant")
    parser.add_argument(
        "--quick", action="store_true", help="takes seconds; figures are not meaningful"
    )
    parser.add_argument("--hours", type=Path, help="csv of a day: hour, gco2e_per_kwh")
    parser.add_argument("--out", type=Path, default=Path("docs/levers.md"))
    options = parser.parse_args()
    if options.rounds < 2:
        parser.error("an interval needs at least two rounds")
    day = None
    if options.hours:
        try:
            day = hourly_profile.read(options.hours.read_text("utf-8"), options.hours.name)
        except (OSError, ValueError) as error:
            parser.error(str(error))
    logging.disable_progress_bar()
    runs = measure(2 if options.quick else options.rounds, options.quick)
    machine = platform.machine() + " CPU" if device() == "cpu" else torch.cuda.get_device_name(0)
    options.out.write_text(ablation_page.page(runs, machine, options.quick, day), encoding="utf-8")
    print(f"wrote {options.out}")


if __name__ == "__main__":
    main()

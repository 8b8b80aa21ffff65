"""What one can do about the energy of training, measured: python examples/training_levers.py

Trains the embedded mail classifier again and again under `track()`: from scratch and by
fine-tuning, in float32 and bfloat16, with and without early stopping and gradient accumulation.
All levers take turns in each round, so that a drift of the machine meets them all. The table goes
to docs/levers.md, with what moving the same work to another grid does.

The mails are the 1,100 that ship with the package, which the shipped model has never seen: it
stands for a model that somebody trained before. What that training drew is not in the figures.
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

# One thread: CPU time is then work, and not one thread that waits for another.
os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parents[1]))  # for `tools`, which is not installed

import levers_page
import torch
from levers_page import Turn
from transformers import BertForSequenceClassification, BertTokenizer
from transformers.utils import logging

from bench.impact import hourly_profile
from bench.tracker.code_block import track
from bench.workloads import embedded
from tools.embedded_training import common
from tools.embedded_training import text_classification as recipe

TASK, SIZE = "text-classification", "tiny"
LEARNED, WATCHED = 600, 100  # mails to learn from, and to decide when to stop; the rest judge
TOKENS = 64  # of a mail's beginning
PATIENCE = 2

Rows = list[dict[str, str]]


@dataclass(frozen=True)
class Lever:
    """One way to train. `parts` is into how many pieces a batch is cut before a step."""

    name: str
    fine_tuned: bool = False
    bfloat16: bool = False
    stops_early: bool = False
    parts: int = 1

    def epochs(self, quick: bool) -> int:
        """At most so many passes over the mails; fine-tuning needs fewer."""
        return 1 if quick else 3 if self.fine_tuned else 10


BASE = Lever("from scratch, float32")
LEVERS = (
    BASE,
    Lever("bfloat16", bfloat16=True),
    Lever("early stopping", stops_early=True),
    Lever("gradient accumulation, 4 parts", parts=4),
    Lever("fine-tuning", fine_tuned=True),
    Lever("fine-tuning, bfloat16, early stopping", True, True, True),
)


@dataclass(frozen=True)
class Mails:
    """The shipped mails in three parts."""

    learned: Rows
    watched: Rows
    judged: Rows


def mails(quick: bool) -> Mails:
    rows = list(embedded.rows(TASK))
    random.Random(common.SEED).shuffle(rows)
    if quick:
        return Mails(rows[:32], rows[32:48], rows[48:80])
    return Mails(rows[:LEARNED], rows[LEARNED : LEARNED + WATCHED], rows[LEARNED + WATCHED :])


def device() -> str:
    return "cuda:0" if torch.cuda.is_available() else "cpu"


def loss_of(
    model: BertForSequenceClassification, tokenizer: BertTokenizer, part: Rows
) -> torch.Tensor:
    inputs = {name: ids.to(device()) for name, ids in recipe.encode(tokenizer, part).items()}
    truth = torch.tensor([int(row["label"] == "spam") for row in part], device=device())
    return torch.nn.functional.cross_entropy(model(**inputs).logits.float(), truth)


def learn(
    lever: Lever, tokenizer: BertTokenizer, data: Mails, seed: int, quick: bool
) -> BertForSequenceClassification:
    """Train once; the work that is measured."""
    common.set_seeds(seed)
    model = start(lever)
    epochs = lever.epochs(quick)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4 if lever.fine_tuned else 2e-3)
    best, kept, waited = math.inf, None, 0
    for epoch in range(epochs):
        model.train()
        for batch in recipe.batches(data.learned, random.Random(seed + epoch)):
            step(lever, model, tokenizer, batch, optimizer)
        if not lever.stops_early:
            continue
        model.eval()
        with torch.inference_mode():
            loss = loss_of(model, tokenizer, data.watched).item()
        waited = 0 if loss < best else waited + 1
        if loss < best:
            best, kept = loss, copy.deepcopy(model.state_dict())
        if waited >= PATIENCE:
            break
    if kept is not None:
        model.load_state_dict(kept)
    return model.eval()


def start(lever: Lever) -> BertForSequenceClassification:
    if not lever.fine_tuned:
        return recipe.make_model(SIZE).to(device())
    folder = embedded.model_path(TASK, SIZE)
    return BertForSequenceClassification.from_pretrained(folder).to(device())


def step(
    lever: Lever,
    model: BertForSequenceClassification,
    tokenizer: BertTokenizer,
    batch: Rows,
    optimizer: torch.optim.Optimizer,
) -> None:
    size = math.ceil(len(batch) / lever.parts)
    optimizer.zero_grad(set_to_none=True)
    for at in range(0, len(batch), size):
        part = batch[at : at + size]
        kind = device().partition(":")[0]
        with torch.autocast(kind, dtype=torch.bfloat16, enabled=lever.bfloat16):
            loss = loss_of(model, tokenizer, part)
        (loss * len(part) / len(batch)).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


@torch.inference_mode()
def judge(
    model: BertForSequenceClassification, tokenizer: BertTokenizer, rows: Rows
) -> tuple[float, ...]:
    right = []
    for at in range(0, len(rows), 50):
        part = rows[at : at + 50]
        inputs = {name: ids.to(device()) for name, ids in recipe.encode(tokenizer, part).items()}
        guesses = model(**inputs).logits.argmax(-1).tolist()
        right += [float(recipe.LABELS[g] == r["label"]) for g, r in zip(guesses, part, strict=True)]
    return tuple(right)


def turn(lever: Lever, tokenizer: BertTokenizer, data: Mails, seed: int, quick: bool) -> Turn:
    with track(devices=[0] if device() != "cpu" else []) as measurement:
        model = learn(lever, tokenizer, data, seed, quick)
        if device() != "cpu":
            torch.cuda.synchronize()
    sensed = [r for r in measurement.readings if r.method != "modelled"]
    counted = sensed or list(measurement.readings)
    missing = [r.domain for r in counted if r.energy_joules is None]
    if missing:
        raise SystemExit(f"the energy of {missing[0]} could not be read: see joulebench doctor")
    return Turn(
        joules=math.fsum(r.energy_joules or 0.0 for r in counted),
        seconds=measurement.duration_seconds or 0.0,
        domains=tuple(r.domain for r in counted),
        modelled=not sensed,
        right=judge(model, tokenizer, data.judged),
    )


def measure(rounds: int, quick: bool) -> dict[str, list[Turn]]:
    tokenizer = BertTokenizer.from_pretrained(embedded.model_path(TASK, SIZE))
    tokenizer.model_max_length = TOKENS
    data = mails(quick)
    turn(LEVERS[-1], tokenizer, data, common.SEED, True)  # the first of all pays for what is lazy
    done: dict[str, list[Turn]] = {lever.name: [] for lever in LEVERS}
    for number in range(rounds):
        order = random.Random(number).sample(LEVERS, len(LEVERS))
        for lever in order:
            took = turn(lever, tokenizer, data, common.SEED + number, quick)
            done[lever.name].append(took)
            print(f"round {number + 1}/{rounds}: {lever.name}, {took.joules:.1f} J", flush=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=6, help="how often each lever has its turn")
    parser.add_argument(
        "--quick", action="store_true", help="seconds only; the figures mean nothing"
    )
    parser.add_argument("--hours", type=Path, help="csv of a day: hour, gco2e_per_kwh")
    parser.add_argument("--out", type=Path, default=Path("docs/levers.md"))
    asked = parser.parse_args()
    if asked.rounds < 2:
        parser.error("an interval needs two rounds at least")
    day = None
    if asked.hours:
        try:
            day = hourly_profile.read(asked.hours.read_text("utf-8"), asked.hours.name)
        except (OSError, ValueError) as error:
            parser.error(str(error))
    logging.disable_progress_bar()
    done = measure(2 if asked.quick else asked.rounds, asked.quick)
    where = platform.machine() + " CPU" if device() == "cpu" else torch.cuda.get_device_name(0)
    asked.out.write_text(levers_page.page(done, where, asked.quick, day), encoding="utf-8")
    print(f"wrote {asked.out}")


if __name__ == "__main__":
    main()

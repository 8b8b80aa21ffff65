"""Shared by all training scripts: seeds, half-precision saving, averaged weights, model cards."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.workloads import embedded

SEED = 20_240_711

# Set OMP_NUM_THREADS=1 to run several trainings in parallel.
THREADS = int(os.environ.get("OMP_NUM_THREADS", "2"))
COMMAND = "python -m tools.embedded_training"

# Eager attention trains fastest in bfloat16 on a CPU; the saved configuration does not have it.
EAGER: dict[str, Any] = {"attn_implementation": "eager"}


@dataclass
class Job:
    """The arguments of one training script; `quick` trains a fortieth of the steps."""

    raw: Path
    size: str
    quick: bool = False
    started: float = field(default_factory=time.perf_counter)

    def steps(self, full: int) -> int:
        """Training steps: `full`, or a fortieth of it for a test of the script."""
        return max(20, full // 40) if self.quick else full

    def minutes(self) -> float:
        return (time.perf_counter() - self.started) / 60

    def processor_minutes(self) -> float:
        """Minutes of processor time of this process and of the programs that it ran."""
        return sum(os.times()[:4]) / 60


def set_seeds(seed: int = SEED) -> None:
    torch.set_num_threads(THREADS)
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def parameter_count(modules: Iterable[torch.nn.Module]) -> int:
    return sum(weight.numel() for module in modules for weight in module.parameters())


def commonest_share(labels: Sequence[Hashable]) -> float:
    """The accuracy (0 to 1) of always answering the commonest of the labels."""
    return max(Counter(labels).values()) / len(labels)


def autocast() -> Any:
    """bfloat16 where it is safe: two to three times faster on CPUs with bfloat16."""
    return torch.autocast("cpu", dtype=torch.bfloat16)


def warmup_cosine(optimizer: torch.optim.Optimizer, steps: int, warmup: int = 100) -> Any:
    """Learning rate: linear warm-up, then cosine decay to a twentieth."""

    def factor(step: int) -> float:
        if step < warmup:
            return (step + 1) / warmup
        done = min(1.0, (step - warmup) / max(1, steps - warmup))
        return 0.05 + 0.95 * 0.5 * (1 + float(np.cos(np.pi * done)))

    return torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


def batches(count: int, size: int) -> Iterator[list[int]]:
    """Endless batches of `size` indices below `count`; every epoch has each index once."""
    rng = random.Random(SEED)
    while True:
        order = list(range(count))
        rng.shuffle(order)
        for at in range(0, count - size + 1, size):
            yield order[at : at + size]


class WeightAverage:
    """Exponential moving average of weights; its images are better than those of the last ones."""

    def __init__(self, modules: list[torch.nn.Module], decay: float) -> None:
        self.weights: list[torch.Tensor] = [
            weight for module in modules for weight in module.parameters()
        ]
        self.mean = [weight.detach().clone() for weight in self.weights]
        self.decay = decay
        self.count = 0

    @torch.no_grad()
    def update(self) -> None:
        self.count += 1
        # Average over fewer steps at first, so that the random initial weights do not persist.
        keep = min(self.decay, self.count / (self.count + 10))
        torch._foreach_lerp_(self.mean, self.weights, 1 - keep)

    @torch.no_grad()
    def apply(self) -> None:
        for weight, mean in zip(self.weights, self.mean, strict=True):
            weight.copy_(mean)


def load_as_float32(config_file: Path) -> None:
    """Set float32 in a saved configuration: weights are stored in half precision only."""
    config = json.loads(config_file.read_text(encoding="utf-8"))
    config.pop("torch_dtype", None)
    config["dtype"] = "float32"
    config_file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def save_half(model: Any, folder: Path) -> None:
    """Save a transformers model in half precision, which halves its size."""
    folder.mkdir(parents=True, exist_ok=True)
    model.half().save_pretrained(folder)
    load_as_float32(folder / "config.json")
    model.float()
    make_shippable(folder)


def make_shippable(folder: Path) -> None:
    """Make files readable for all, and remove local paths from configurations."""
    for file in folder.rglob("*"):
        if file.is_file():
            file.chmod(0o644)
    for file in folder.rglob("config.json"):
        config = json.loads(file.read_text(encoding="utf-8"))
        if config.pop("_name_or_path", None) is not None:
            file.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def write_rows(name: str, rows: Sequence[Mapping[str, Any]]) -> None:
    path = embedded.FOLDER / "data" / f"{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


@dataclass(frozen=True)
class Quality:
    """The headline quality of one model on the held-out rows that ship, beside a baseline's.

    It becomes `quality.json` beside the weights, which `joulebench tasks` prints.

    Args:
        metric: its name in the task file, such as "accuracy".
        value: the model's, in the metric's unit; shares are 0 to 1.
        baseline_name: what the baseline answers, such as "the commonest label".
        baseline_value: the baseline's value of the same metric on the same rows.
        sample_count: held-out rows behind both values.
        held_out_near_duplicate_share: share of these rows (0 to 1) with a near-duplicate among the
            training rows, by `near_duplicates`; None where the rows are not text.
        higher_is_better: False for errors and losses.
        judge_trained_on: data on which the judge was trained, where a model judges the outputs.
    """

    metric: str
    value: float
    baseline_name: str
    baseline_value: float
    sample_count: int
    held_out_near_duplicate_share: float | None
    higher_is_better: bool = True
    judge_trained_on: str | None = None

    @property
    def beats_baseline(self) -> bool:
        if self.higher_is_better:
            return self.value > self.baseline_value
        return self.value < self.baseline_value


def write_quality(folder: Path, quality: Quality | None) -> None:
    """Write `quality.json`; None says that the model has no trained weights."""
    fields = asdict(quality) if quality else {}
    numbers = {
        name: float(f"{value:.4g}") if isinstance(value, float) else value
        for name, value in fields.items()
    }
    text = json.dumps({"trained": quality is not None, **numbers}, indent=2)
    (folder / "quality.json").write_text(text + "\n", encoding="utf-8")


@dataclass
class ModelCard:
    """The texts and figures of a model card; all figures come from the training itself.

    `quality` holds every result that the card states; `headline` the one for `quality.json`.
    """

    title: str
    description: str
    parameters: dict[str, int]
    data: str
    data_licence: str
    command: str
    minutes: float
    steps: str
    quality: dict[str, str]
    settings: str
    headline: Quality
    quick: bool = False


def write_card(folder: Path, card: ModelCard) -> None:
    """Write the card of one model and its `quality.json`.

    Raises ValueError for a model that does not beat its baseline, except after quick training.
    """
    headline = card.headline
    if not card.quick and not headline.beats_baseline:
        raise ValueError(
            f"{card.title}: {headline.metric} {headline.value:.4g} does not beat "
            f"{headline.baseline_name} ({headline.baseline_value:.4g})"
        )
    write_quality(folder, headline)
    share = headline.held_out_near_duplicate_share
    size = sum(file.stat().st_size for file in folder.rglob("*.safetensors")) / 1e6
    quick_note = "\n**Hardly trained: only good for seeing that it loads.**\n" if card.quick else ""
    text = CARD_TEXT.format(
        card=card,
        quick_note=quick_note,
        size=size,
        total=sum(card.parameters.values()),
        parts=", ".join(f"{name} {count:,}" for name, count in card.parameters.items()),
        quality="\n".join(f"| {name} | {value} |" for name, value in card.quality.items()),
        better="higher" if headline.higher_is_better else "lower",
        duplicates="" if share is None else DUPLICATES_TEXT.format(share=share),
        judge=(
            f"The judge was trained on: {headline.judge_trained_on}.\n"
            if headline.judge_trained_on
            else ""
        ),
        threads=THREADS,
    )
    (folder / "README.md").write_text(text, encoding="utf-8")


DUPLICATES_TEXT = """{share:.1%} of these rows have a near-duplicate among the training rows
(Jaccard similarity of 5-word shingles of at least 0.5).
"""
CARD_TEXT = """---
license: apache-2.0
---

# {card.title}

{card.description}
{quick_note}
The energy this model needs says nothing about the energy of large models: it is here so that
the benchmark can run anywhere, and so that a smaller and a larger model can be compared.

## Size

{total:,} parameters ({parts}); {size:.2f} MB of weights, stored as float16, loaded as float32.

## Data and its licence

{card.data}

Licence of the data: {card.data_licence}

## Quality on held-out data

| What | Result |
|---|---|
{quality}

Headline: {card.headline.metric} {card.headline.value:.4g} on {card.headline.sample_count:,} \
held-out rows; baseline, {card.headline.baseline_name}:
{card.headline.baseline_value:.4g} ({better} is better).
{duplicates}{judge}
## Recommended settings

{card.settings}

## How it was made

`{card.command}`: {card.steps}, {card.minutes:.1f} minutes with {threads}
thread(s) on a processor shared with other work, no GPU, fixed seeds.

## Licence of the weights

Apache-2.0.
"""

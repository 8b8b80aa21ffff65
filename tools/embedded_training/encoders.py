"""Small BERT encoders: their configuration and their training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from transformers import BertConfig

from tools.embedded_training import common

VOCABULARY = 600
CONTEXT = 48
BATCH = 32
SHAPES = {"tiny": (24, 2, 2), "small": (44, 3, 4)}  # width, layers, heads
RATE = {"tiny": 4e-3, "small": 3e-3}


def config(size: str, **words: Any) -> BertConfig:
    width, layers, heads = SHAPES[size]
    return BertConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * width,
        max_position_embeddings=CONTEXT,
        type_vocab_size=1,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        pad_token_id=0,
        **words,
        **common.EAGER,
    )


def learn(
    model: Any,
    name: str,
    size: str,
    steps: int,
    count: int,
    loss_of: Callable[[list[int]], torch.Tensor],
) -> None:
    """Train on batches of indices; the final weights are their moving average."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE[size], weight_decay=0.01)
    schedule = common.warmup_cosine(optimizer, steps)
    average = common.WeightAverage([model], 0.99)
    model.train()
    for step, places in zip(range(steps), common.batches(count, BATCH), strict=False):
        loss = loss_of(places)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        if step % 50 == 0:
            print(f"{name} {size} step {step}/{steps} {loss.item():.3f}", flush=True)
    average.apply()
    model.eval()

"""Small ModernBERT encoders: configuration and training.

Rotary positions and local attention learn from neighbouring words at once, where BERT's learned
positions stay at the frequencies of the words for thousands of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from transformers import BertTokenizer, ModernBertConfig

from tools.embedded_training import common


def config(
    tokenizer: BertTokenizer, width: int, layers: tuple[str, ...], heads: int, reach: int = 4
) -> ModernBertConfig:
    """A configuration of a small encoder.

    Args:
        layers: for each layer, "sliding_attention" or "full_attention".
        reach: tokens on either side that a sliding layer attends to.
    """
    return ModernBertConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=2 * width,
        num_hidden_layers=len(layers),
        num_attention_heads=heads,
        layer_types=list(layers),
        local_attention=2 * reach,
        max_position_embeddings=tokenizer.model_max_length,
        initializer_range=0.05,
        pad_token_id=tokenizer.pad_token_id,
        bos_token_id=tokenizer.cls_token_id,
        cls_token_id=tokenizer.cls_token_id,
        eos_token_id=tokenizer.sep_token_id,
        sep_token_id=tokenizer.sep_token_id,
    )


class LengthBatches:
    """Random batches of inputs of similar length, which need little padding.

    Args:
        lengths: tokens of every input.
        size: inputs of one batch.
    """

    def __init__(self, lengths: np.ndarray, size: int) -> None:
        self.size = size
        self.rng = np.random.default_rng(common.SEED)
        self.lengths = lengths
        self.order = np.empty(0, dtype=np.int64)
        self.left = 0

    def next(self) -> np.ndarray:
        """Indices of the next batch."""
        if not self.left:
            noise = self.rng.random(len(self.lengths)) * 6
            self.order = np.argsort(self.lengths + noise)
            self.left = len(self.lengths) // self.size
        self.left -= 1
        start = self.rng.integers(0, len(self.order) - self.size + 1)
        return self.order[start : start + self.size]


def learn(
    model: Any, name: str, steps: int, rate: float, loss_of_step: Callable[[], torch.Tensor]
) -> None:
    """Train with AdamW; the final weights are their moving average."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, betas=(0.9, 0.98), weight_decay=0.01)
    schedule = common.warmup_cosine(optimizer, steps)
    average = common.WeightAverage([model], 0.99)
    model.train()
    for step in range(steps):
        loss = loss_of_step()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        average.update()
        if step % 100 == 0:
            print(f"{name} step {step}/{steps} {loss.item():.3f}", flush=True)
    average.apply()
    model.eval()

"""Configurations of text models without weights, for `configurations`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

POSITIONS = 256
VOCABULARY = 4096  # at least that of the text-classification tokenizer, the fallback tokenizer


def _bart(width: int, layers: int) -> tuple[Any, Any]:
    """BART."""
    from transformers import BartConfig, BartForConditionalGeneration

    sides = ("encoder", "decoder")
    both: dict[str, Any] = {f"{side}_layers": layers for side in sides}
    both |= {f"{side}_attention_heads": 4 for side in sides}
    both |= {f"{side}_ffn_dim": 4 * width for side in sides}
    config = BartConfig(
        vocab_size=VOCABULARY,
        d_model=width,
        max_position_embeddings=POSITIONS,
        pad_token_id=0,
        bos_token_id=2,
        eos_token_id=3,
        decoder_start_token_id=3,
        forced_eos_token_id=3,
        **both,
    )
    return config, BartForConditionalGeneration


MAKERS: dict[str, Callable[[int, int], tuple[Any, Any]]] = {
    "summarization": _bart,
}

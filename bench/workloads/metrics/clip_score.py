"""CLIP score: similarity of an image and its prompt, from 0 to 100. Hessel et al. 2021.

A pair holds the prompt, and one image or several, whose mean counts. No CLIP model ships: the
environment variable JOULEBENCH_CLIP names a folder or an id on the hub.
"""

from __future__ import annotations

import math
import os
from functools import lru_cache
from typing import Any

from bench.workloads.metrics import MetricUnavailable, Pairs

BETTER = "higher"
RANGE = (0.0, 100.0)
VARIABLE = "JOULEBENCH_CLIP"


def value(pairs: Pairs) -> float:
    return math.fsum(rows(pairs)) / len(pairs)


def rows(pairs: Pairs) -> list[float]:
    """One score a pair. Raises MetricUnavailable without a CLIP model."""
    model, processor = _load(os.environ.get(VARIABLE, ""))
    return [_score(model, processor, prompt, images) for prompt, images in pairs]


def _score(model: Any, processor: Any, prompt: str, images: Any) -> float:
    """100 times the mean cosine between the CLIP embeddings of a prompt and its images, or 0."""
    import torch

    inputs = processor(
        text=[prompt],
        images=images if isinstance(images, list | tuple) else [images],
        return_tensors="pt",
        padding=True,
        truncation=True,
    )
    with torch.inference_mode():
        embeddings = model(**inputs)
    cosines = torch.nn.functional.cosine_similarity(embeddings.image_embeds, embeddings.text_embeds)
    return max(0.0, 100 * float(cosines.mean()))


@lru_cache(maxsize=1)
def _load(name: str) -> tuple[Any, Any]:
    """The CLIP model of a folder or a hub id, with its processor; pickled weights are refused."""
    from transformers import CLIPModel, CLIPProcessor

    if not name:
        raise MetricUnavailable(
            f"CLIP score needs a CLIP model: name a folder or a hub id in {VARIABLE}"
        )
    try:
        model = CLIPModel.from_pretrained(name, use_safetensors=True).eval()
        return model, CLIPProcessor.from_pretrained(name)
    except (OSError, ValueError) as error:
        reason = str(error).partition("\n")[0]
        raise MetricUnavailable(f"the CLIP model {name} cannot be loaded: {reason}") from error

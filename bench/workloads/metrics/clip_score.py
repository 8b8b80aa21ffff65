"""CLIP score: how near an image is to the words that asked for it, from 0 to 100.

A pair holds the words, and one image or several, whose mean counts. The CLIP model is not shipped:
JOULEBENCH_CLIP names a folder with one or an id on the hub.
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
    """Raises NoJudge where there is no CLIP model."""
    judge = _judge(os.environ.get(VARIABLE, ""))
    return [_score(judge, words, images) for words, images in pairs]


def _score(judge: tuple[Any, Any], words: str, images: Any) -> float:
    """100 times the cosine between the words and an image, in CLIP's space, and never below 0."""
    import torch

    net, processor = judge
    several = images if isinstance(images, list | tuple) else [images]
    given = processor(
        text=[words], images=several, return_tensors="pt", padding=True, truncation=True
    )
    with torch.inference_mode():
        seen = net(**given)
    cosines = torch.nn.functional.cosine_similarity(seen.image_embeds, seen.text_embeds)
    return max(0.0, 100 * float(cosines.mean()))


@lru_cache(maxsize=1)
def _judge(name: str) -> tuple[Any, Any]:
    """The CLIP model of a folder or a hub id, with its processor; pickled weights are refused."""
    from transformers import CLIPModel, CLIPProcessor

    if not name:
        raise MetricUnavailable(
            f"CLIP score needs a CLIP model: name a folder or a hub id in {VARIABLE}"
        )
    try:
        net = CLIPModel.from_pretrained(name, use_safetensors=True).eval()
        return net, CLIPProcessor.from_pretrained(name)
    except (OSError, ValueError) as error:
        first = str(error).partition("\n")[0]
        raise MetricUnavailable(f"the CLIP model {name} can't be loaded: {first}") from error

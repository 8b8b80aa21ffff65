"""The judge: a small picture classifier that says which clothes a drawn picture shows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bench.workloads.embedded import judge_path

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 32

# The pictures are doubled before the net sees them: its first layers shrink them by four.
SEEN = 64


@lru_cache(maxsize=1)
def _model() -> Any:
    import torch
    from transformers import ResNetForImageClassification

    model = ResNetForImageClassification.from_pretrained(
        judge_path(), dtype=torch.float32, local_files_only=True
    )
    return model.eval()


def prepare(pictures: Any) -> Any:
    """Grey values from 0 to 255 (N×32×32) as the net wants them: N×1×64×64 from -1 to 1."""
    import torch

    grey = torch.as_tensor(pictures, dtype=torch.float32)[:, None] / 127.5 - 1
    return torch.nn.functional.interpolate(grey, size=SEEN, mode="bilinear", align_corners=False)


def classify_images(images: Sequence[Image]) -> list[str]:
    """The class label of each picture, for example "ankle boot"."""
    if not images:
        return []
    import numpy as np
    import torch

    grey = np.stack(
        [np.asarray(image.convert("L").resize((SIDE, SIDE)), dtype=np.float32) for image in images]
    )
    model = _model()
    names = model.config.id2label
    with torch.inference_mode():
        places = [
            place
            for part in torch.split(prepare(grey), 250)
            for place in model(pixel_values=part).logits.argmax(-1).tolist()
        ]
    return [str(names[place]) for place in places]

"""A small image classifier that labels the clothes on generated images."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from bench.workloads.embedded import judge_path

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE_PIXELS = 32

# Images are enlarged twice, as the first layers of the network reduce them by four.
INPUT_PIXELS = 64


@lru_cache(maxsize=1)
def _model() -> Any:
    import torch
    from transformers import ResNetForImageClassification

    model = ResNetForImageClassification.from_pretrained(
        judge_path(), dtype=torch.float32, local_files_only=True
    )
    return model.eval()


def prepare(images: Any) -> Any:
    """Inputs of the network, (N, 1, 64, 64) from -1 to 1, from grey (N, 32, 32) of 0 to 255."""
    import torch

    grey = torch.as_tensor(images, dtype=torch.float32)[:, None] / 127.5 - 1
    return torch.nn.functional.interpolate(
        grey, size=INPUT_PIXELS, mode="bilinear", align_corners=False
    )


def classify_images(images: Sequence[Image]) -> list[str]:
    """The class label of each image, for example "ankle boot"."""
    if not images:
        return []
    import numpy as np
    import torch

    grey = np.stack(
        [
            np.asarray(image.convert("L").resize((SIDE_PIXELS, SIDE_PIXELS)), dtype=np.float32)
            for image in images
        ]
    )
    model = _model()
    names = model.config.id2label
    with torch.inference_mode():
        indices = [
            index
            for part in torch.split(prepare(grey), 250)
            for index in model(pixel_values=part).logits.argmax(-1).tolist()
        ]
    return [str(names[index]) for index in indices]

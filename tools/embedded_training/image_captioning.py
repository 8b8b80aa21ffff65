"""Image captioning: 20 photos with captions written for this project; no weights."""

from __future__ import annotations

import json
from pathlib import Path

from PIL import Image

from bench.workloads import embedded
from tools.embedded_training import common, configurations, sources

LONGEST_SIDE_PIXELS = 320


def captions() -> dict[str, dict[str, list[str]]]:
    """Three captions of each photo, by library ("skimage", "sklearn") and file name."""
    text = Path(__file__).with_name("captions.json").read_text(encoding="utf-8")
    by_library: dict[str, dict[str, list[str]]] = json.loads(text)
    return by_library


def write_data(job: common.Job) -> None:
    """Write every photo, reduced to 320 pixels a side, and the rows with its captions."""
    folder = embedded.FOLDER / "data" / "image-captioning"
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    folders = zip(sources.photo_folders(job.raw), captions().values(), strict=True)
    for photos, captions_by_file in folders:
        for name, texts in captions_by_file.items():
            image = Image.open(photos / name).convert("RGB")
            image.thumbnail((LONGEST_SIDE_PIXELS, LONGEST_SIDE_PIXELS))
            short = name.partition(".")[0].replace("_", "-")
            image.save(folder / f"{short}.jpg", quality=85, optimize=True)
            rows.append({"image": f"image-captioning/{short}.jpg", "captions": texts})
    common.write_rows("image-captioning", rows)


def train(job: common.Job) -> None:
    """Write the data and the configuration of one size; no weights are trained."""
    write_data(job)
    configurations.write("image-captioning", job.size)

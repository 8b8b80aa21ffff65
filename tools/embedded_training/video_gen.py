"""Video generation: prompts written for this project; a configuration without weights."""

from __future__ import annotations

import itertools
import json
import random
from pathlib import Path

from tools.embedded_training import common, configurations

COUNT = 1000


def prompts() -> list[str]:
    """1,000 combinations of subject, action, place and style, sampled with a fixed seed."""
    text = Path(__file__).with_name("video_prompts.json").read_text(encoding="utf-8")
    parts = json.loads(text)
    columns = (parts[name] for name in ("subjects", "actions", "places", "styles"))
    combinations = [f"{w} {d} {p}, {h}" for w, d, p, h in itertools.product(*columns)]
    return random.Random(common.SEED).sample(combinations, COUNT)


def train(job: common.Job) -> None:
    """Write the prompts and the configuration of one size."""
    common.write_rows("video-gen", [{"prompt": prompt} for prompt in prompts()])
    configurations.write("video-gen", job.size)

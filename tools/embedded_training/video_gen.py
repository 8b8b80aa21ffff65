"""Video: prompts of this project's own words, and the shape of an untrained model."""

from __future__ import annotations

import itertools
import random

from tools.embedded_training import common, shapes

WHO = (
    "a small brown dog",
    "a grey cat",
    "an old fisherman",
    "a girl in a yellow raincoat",
    "a red paper boat",
    "a white horse",
    "a steam train",
    "a cyclist",
    "a flock of starlings",
    "a wind-up robot",
    "a woman with a violin",
    "a hot-air balloon",
)
DOES = (
    "moves slowly from left to right",
    "comes towards the camera",
    "turns around once",
    "stops and starts again",
    "disappears into the distance",
    "passes close by",
    "stays still while the wind blows",
)
WHERE = (
    "on a wet street at night",
    "in a snowy field",
    "beside a calm lake at dawn",
    "in front of a brick wall",
    "on a wooden bridge",
    "under blooming cherry trees",
    "in thick fog",
    "on a beach at low tide",
    "in a sunlit kitchen garden",
    "between tall grey rocks",
)
HOW = (
    "filmed from the ground",
    "seen from a drone",
    "in black and white",
    "with a steady camera",
    "as a watercolour animation",
)
COUNT = 1000


def train(job: common.Job) -> None:
    """1,000 prompts drawn with a fixed seed, and the shape of one size."""
    every = [f"{w} {d} {p}, {h}" for w, d, p, h in itertools.product(WHO, DOES, WHERE, HOW)]
    drawn = random.Random(common.SEED).sample(every, COUNT)
    common.write_rows("video-gen", [{"prompt": prompt} for prompt in drawn])
    shapes.write("video-gen", job.size)

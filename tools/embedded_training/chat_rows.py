"""Made problems in words with computed answers: training stream and held-out rows of `chat`.

The two splits, `train` and `held_out`, have different sentences, names of people and towns, and
given two-digit numbers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass

from tools.embedded_training import common
from tools.embedded_training.chat_kinds import KINDS, REASON_KINDS
from tools.embedded_training.chat_source import Source

ROWS = 600


@dataclass(frozen=True)
class Problem:
    """One problem: its kind, its sentences, the steps of a solution and the answer."""

    kind: str
    prompt: str
    steps: str
    answer: str


def make_problem(kind: str, source: Source, style: str = "") -> Problem:
    """One problem of a kind; `style` asks for a `brief` answer, for `steps`, or for nothing."""
    sentences, steps, answer = KINDS[kind](source)
    rng = source.rng
    if rng.random() < 0.3:
        sentences.insert(0, source.line("intro"))
    if rng.random() < 0.15:
        sentences.insert(rng.randrange(len(sentences)), source.line("filler"))
    if style:
        sentences.append(source.line("style", style))
    return Problem(kind, " ".join(sentences), steps, answer)


def training_problems(seed: int = common.SEED) -> Iterator[tuple[Problem, str]]:
    """An endless stream of training problems, each with its mode.

    The mode is `think`, `steps` or `brief` where the prompt asks for it, or the empty string.
    """
    source = Source("train", random.Random(seed))
    while True:
        kind = source.rng.choice(tuple(KINDS))
        mode = source.rng.choice(("think", "think", "steps", "brief", ""))
        yield make_problem(kind, source, mode if mode in ("steps", "brief") else ""), mode


def held_out_rows(name: str) -> list[dict[str, str]]:
    """The rows of `chat` (all kinds and styles) or `reason` (several steps, no style).

    Every prompt is there once; the kinds are equally frequent.
    """
    seed, kinds, styles = {
        "chat": (common.SEED + 1, tuple(KINDS), ("brief", "steps", "")),
        "reason": (common.SEED + 2, REASON_KINDS, ("",)),
    }[name]
    source = Source("held_out", random.Random(seed))
    rows: dict[str, dict[str, str]] = {}
    while len(rows) < ROWS:
        kind = kinds[len(rows) % len(kinds)]
        style = styles[len(rows) // len(kinds) % len(styles)]
        problem = make_problem(kind, source, style)
        rows[problem.prompt] = {"prompt": problem.prompt, "answer": problem.answer, "kind": kind}
    made = list(rows.values())
    source.rng.shuffle(made)
    return made

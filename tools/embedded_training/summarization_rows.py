"""Synthetic news reports with a known summary, made from templates of this project.

A report has one sentence with the news and several others about other towns, people and days, in
random order. The summary states the news in other words than the report. A combination of the words
that the summary names is either held out or used in training, never both.
"""

from __future__ import annotations

import json
import random
import string
from pathlib import Path
from typing import Any
from zlib import crc32

from tools.embedded_training import common, near_duplicates

ROWS = 1000
TRAINING_ROWS = 30_000
HELD_OUT_OF = 10  # one combination in ten is held out
DETAILS = (2, 3)
GENERAL = (2, 4)

TEMPLATES: dict[str, Any] = json.loads(
    Path(__file__).with_name("summarization_templates.json").read_text(encoding="utf-8")
)


def fields_of(template: str) -> list[str]:
    """Names of the slots of a template, such as `town`, without `_upper` and `_lower`."""
    names = (name for _, name, _, _ in string.Formatter().parse(template) if name)
    return [name.removesuffix("_upper").removesuffix("_lower") for name in names]


def make_report(rng: random.Random) -> tuple[dict[str, str], bool]:
    """One row (`text`, `summary`), and whether it is held out."""
    topic = TEMPLATES["topics"][rng.choice(sorted(TEMPLATES["topics"]))]
    slots = {**TEMPLATES["slots"], **topic["slots"]}
    news = {name: rng.choice(values) for name, values in slots.items()}
    while news.get("rival") == news["town"]:
        news["rival"] = rng.choice(slots["rival"])
    summary = _filled(topic["summary"], news)
    held_out = crc32(summary.encode()) % HELD_OUT_OF == 0
    # Other sentences name nothing that the summary names, except what they have from the topic.
    named = set(fields_of(topic["summary"]))
    sentences = [_filled(rng.choice(topic["main"]), news)]
    others = rng.sample(topic["detail"], rng.randint(*DETAILS))
    others += rng.sample(TEMPLATES["general"], rng.randint(*GENERAL))
    for template in others:
        other = {
            name: news[name] if name in topic["slots"] else _other(rng, values, name, news, named)
            for name, values in slots.items()
        }
        sentences.append(_filled(template, other))
    rng.shuffle(sentences)
    return {"text": " ".join(sentences), "summary": summary}, held_out


def _other(
    rng: random.Random, values: list[str], name: str, news: dict[str, str], named: set[str]
) -> str:
    """A value of a slot that differs from the news where the summary names it."""
    return rng.choice([value for value in values if name not in named or value != news[name]])


def _filled(template: str, values: dict[str, str]) -> str:
    cases = {f"{name}_upper": value[0].upper() + value[1:] for name, value in values.items()}
    cases |= {f"{name}_lower": value[0].lower() + value[1:] for name, value in values.items()}
    return template.format(**values, **cases)


def training_rows(count: int = TRAINING_ROWS, seed: int = common.SEED) -> list[dict[str, str]]:
    """`count` different training rows; none has the news of a held-out row."""
    return _rows(count, random.Random(seed), held_out=False)


def held_out_rows() -> list[dict[str, str]]:
    """The rows that ship; none is a near-duplicate of one of `training_rows()`."""
    rows = _rows(ROWS + 100, random.Random(common.SEED + 1), held_out=True)
    kept = near_duplicates.without_near_duplicates(rows, training_rows(), lambda row: row["text"])
    return kept[:ROWS]


def _rows(count: int, rng: random.Random, held_out: bool) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    while len(found) < count:
        row, is_held_out = make_report(rng)
        if is_held_out == held_out:
            found[row["text"]] = row
    return list(found.values())


def make_rows(raw: Path) -> list[dict[str, str]]:
    """The rows of `summarization.jsonl`; no raw data are needed."""
    return held_out_rows()

"""Held-out speeches and chapters as cloze questions."""

from __future__ import annotations

import random
import re
from pathlib import Path

from tools.embedded_training import common, text_rows

ROWS = 1000
PASSAGE = (30, 60)  # words
AROUND = 8  # words of the sentence that stay on either side of its gap
GAP = "____"
ENDS = re.compile(r"(?<=[.!?]) +(?=[A-Z\"'])")

# A number, or a name of one word or several that does not begin the sentence.
NUMBER = r"(?<![\w.,$-])\$?\d[\d,]*(?:\.\d+)?(?![\w-])"
NAME = r"(?<=[a-z,] )(?!I\b)[A-Z][a-z]+(?: (?:of )?[A-Z][a-z]+)*(?![\w-])"
ANSWER = re.compile(f"{NUMBER}|{NAME}")


def sentences(raw: Path) -> list[list[str]]:
    """The sentences of every held-out document."""
    _, held = text_rows.documents(raw)
    return [ENDS.split(text) for text in held]


def questions(raw: Path) -> list[dict[str, str | list[str]]]:
    """Passages with a cloze question; the answer is a number or a name of the passage."""
    rng = random.Random(common.SEED)
    rows: list[dict[str, str | list[str]]] = []
    for parts in sentences(raw):
        at = 0
        while at < len(parts):
            taken = at + 1
            while taken < len(parts) and _words(parts[at:taken]) < PASSAGE[0]:
                taken += 1
            passage, at = parts[at:taken], taken
            if len(passage) < 2 or not PASSAGE[0] <= _words(passage) <= PASSAGE[1]:
                continue
            context = " ".join(passage)
            found = [
                (sentence, match)
                for sentence in passage
                for match in ANSWER.finditer(sentence)
                if context.count(match.group()) == 1
            ]
            if found:
                sentence, match = rng.choice(found)
                before = " ".join(sentence[: match.start()].split()[-AROUND:])
                after = sentence[match.end() :].split(" ")
                gap = f"{before} {GAP}{' '.join(after[: 1 + AROUND])}"
                question = f"What fills the gap in: {gap}"
                rows.append({"question": question, "context": context, "answers": [match.group()]})
    once = list({str(row["question"]): row for row in rows}.values())
    rng.shuffle(once)
    return once[:ROWS]


def _words(parts: list[str]) -> int:
    return sum(len(part.split()) for part in parts)

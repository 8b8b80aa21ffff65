"""E-mails with their subject as the reference summary."""

from __future__ import annotations

import random
import re
from pathlib import Path

from tools.embedded_training import common, mail_rows, sources
from tools.embedded_training.mail_rows import EXPLICIT, clean

ROWS = 1000
SHORTEST, LONGEST = 120, 440  # characters of a body
WORDS = (3, 12)  # of a subject
REPLY = re.compile(r"(?i)^\s*(re|fwd?|aw|sv)\s*:")
MASKS = ("[link]", "[address]", "[number]")


def all_rows(raw: Path) -> list[dict[str, str]]:
    """First e-mails of conversations, without duplicate bodies or subjects."""
    rows: list[dict[str, str]] = []
    seen: set[str] = set()
    for _, group, source in sources.mails(raw):
        subject, body = (clean(part or "") for part in mail_rows.parts(source))
        words = len(subject.split())
        foreign = sum(sign > "~" for sign in body + subject)
        if (
            group.startswith("spam")
            or REPLY.search(subject)
            or not WORDS[0] <= words <= WORDS[1]
            or len(body) < SHORTEST
            or foreign > len(body) / 50
            or EXPLICIT.search(subject + " " + body)
            or any(mask in subject for mask in MASKS)
        ):
            continue
        key = re.sub(r"[^a-z]", "", body.lower())[:120], subject.lower()
        if key[0] in seen or key[1] in seen:
            continue
        seen.update(key)
        cut = body if len(body) <= LONGEST else body[:LONGEST].rsplit(" ", 1)[0]
        rows.append({"text": cut, "summary": subject})
    return rows


def make_rows(raw: Path) -> list[dict[str, str]]:
    rows = all_rows(raw)
    random.Random(common.SEED).shuffle(rows)
    return rows[:ROWS]

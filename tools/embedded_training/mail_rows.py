"""E-mails of the SpamAssassin corpus as masked plain text with a label; training and test split."""

from __future__ import annotations

import email
import email.policy
import html
import random
import re
from email.message import EmailMessage
from pathlib import Path

from tools.embedded_training import common, sources

LONGEST = 1500
HELD_PER_LABEL = 550
STYLE = re.compile(r"(?is)<(script|style|head)\b.*?</\1\s*>|<!--.*?-->")
TAG = re.compile(r"(?s)<[/!?a-zA-Z][^<>]{0,2000}>")
LINK = re.compile(r"(?i)\b(?:https?://|ftp://|www\.)\S+|mailto:\S+")

# Mask everything around an @, even where it is not a valid address.
ADDRESS = re.compile(r"[^\s<>\"'(),;:@\[\]]*(?:@|=40|&#64;)[^\s<>\"'(),;:@\[\]]+")
SPELT = re.compile(r"(?i)\b[\w.+-]+\s+(?:at|\(at\))\s+[\w-]+\.[a-z]{2,4}\b")
HOST = re.compile(
    r"(?i)\b[a-z0-9-]+(?:\.[a-z0-9-]+)*"
    r"\.(?:com|net|org|edu|gov|info|biz|ie|uk|de|fi|fr|us|jp|cn|au|nl|se|ca|ch)\b\S*"
)
PHONE = re.compile(
    r"(?<![\w.])\+?\(?\d[\d()\s./-]{6,}\d(?!\w)|\d{3}[-. )]+\d{3,4}[-. ]\d{4}|\d{7,}"
)

# Words that shipped requests must not contain.
EXPLICIT = re.compile(
    r"(?i)\b\w*(?:porn|xxx|sex|fuck|cunt|cock|dick|pussy|tits?\b|titt|nude|naked|penis|vagina|viagra|"
    r"erecti|orgasm|horny|slut|whore|nigg|rape|teen|lolita|incest|shit|bitch|hardcore|breast|virgin|"
    r"adult|cum\b|anal\b|lesb|erotic|libido|ejac)\w*"
)


def _payload(part: EmailMessage) -> str:
    """The text of a part, also where its declared encoding is wrong."""
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return str(part.get_payload())
    try:
        return data.decode(part.get_content_charset() or "latin-1", errors="replace")
    except LookupError:
        return data.decode("latin-1")


def _body(message: EmailMessage) -> str:
    """The plain text part, or else the HTML part without its tags."""
    texts: dict[str, str] = {}
    for part in message.walk():
        kind = part.get_content_type()
        if kind in ("text/plain", "text/html") and kind not in texts:
            texts[kind] = _payload(part)
    body = texts.get("text/plain", "")
    return body if body.strip() else texts.get("text/html", "")


def clean(text: str) -> str:
    """Remove tags, links, addresses, telephone numbers and control characters."""
    text = re.sub(r"\\u[0-9a-f]{4}|\ufffd", " ", text)  # letters lost when the corpus was made
    text = html.unescape(TAG.sub(" ", STYLE.sub(" ", text)))
    text = TAG.sub(" ", text)
    text = LINK.sub(" [link] ", text)
    text = ADDRESS.sub(" [address] ", text)
    text = SPELT.sub(" [address] ", text)
    text = HOST.sub(" [link] ", text)
    text = PHONE.sub(" [number] ", text)
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    text = re.sub(r"([^\w\s])\1{3,}", r"\1\1\1", text).replace("@", " at ")
    return " ".join(text.split())


def parts(raw: str) -> tuple[str, str | None]:
    """Subject, without list names in brackets, and body of one e-mail; None if unreadable."""
    # The corpus keeps the mbox line before the headers.
    source = raw.split("\n", 1)[1] if raw.startswith("From ") else raw
    message = email.message_from_string(source, policy=email.policy.compat32)
    # List names in brackets ("[ILUG]") would reveal the label.
    subject = re.sub(r"\[[^\]]{2,30}\]", " ", str(message.get("Subject", "")))
    try:
        return subject, _body(message)  # type: ignore[arg-type]
    except (ValueError, KeyError):
        return subject, None


def plain(raw: str) -> str:
    """Subject and body of one e-mail; empty if unreadable."""
    subject, body = parts(raw)
    text = clean(f"{subject}\n{body}") if body is not None else ""
    if len(text) > LONGEST:
        text = text[:LONGEST].rsplit(" ", 1)[0]
    return text


def all_rows(raw: Path) -> list[dict[str, str]]:
    """Remove duplicates: texts with the same beginning, apart from digits."""
    rows, seen = [], set()
    for _, group, source in sources.mails(raw):
        text = plain(source)
        key = re.sub(r"[^a-z]", "", text.lower())[:160]
        foreign = sum(sign > "~" for sign in text)
        if len(text) < 40 or len(key) < 20 or foreign > len(text) / 20 or key in seen:
            continue
        seen.add(key)
        rows.append({"text": text, "label": "spam" if group.startswith("spam") else "ham"})
    return rows


def split(raw: Path) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Training e-mails, and held-out e-mails that ship, equally many spam and ham."""
    rows = all_rows(raw)
    random.Random(common.SEED).shuffle(rows)
    held: list[dict[str, str]] = []
    train: list[dict[str, str]] = []
    left = {"spam": HELD_PER_LABEL, "ham": HELD_PER_LABEL}
    for row in rows:
        if left[row["label"]] and not EXPLICIT.search(row["text"]):
            left[row["label"]] -= 1
            held.append(row)
        else:
            train.append(row)
    return train, held

"""Pages: the site of the board (`site.py`), and what all pages share: templates and a policy."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import jinja2

from bench.footprint import words

HERE = Path(__file__).parent


def environment(*folders: Path) -> jinja2.Environment:
    """The templates of these folders: everything is escaped, a missing variable is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: words.visible(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def policy(style: str, script: str | None) -> str:
    """The content-security policy that allows exactly this style and this script, or none."""
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(style)}'",
            f"script-src '{_hash(script)}'" if script else "script-src 'none'",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

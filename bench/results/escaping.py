"""Strangers' text made safe for csv, Markdown, HTML; content-security policy. jinja2 imported on use."""

from __future__ import annotations

import base64
import hashlib
import re
from pathlib import Path

import jinja2

from bench.results.formatting import printable


def html_environment(*folders: Path) -> jinja2.Environment:
    """The templates of these folders: everything is escaped, a missing variable is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: printable(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def content_security_policy(style: str, script: str | None) -> str:
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


# What begins a formula, in spreadsheets of any language.
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def csv_safe(cell: object) -> object:
    """A cell that a spreadsheet shows and does not run: text that could be a formula is quoted.

    A stranger's text becomes one line, without characters that hide or turn.
    """
    if isinstance(cell, str):
        risky = cell[:1].isspace() or cell.lstrip().startswith(FORMULA_STARTS)
        text = printable(cell)
        return f"'{text}" if risky else text
    return "" if cell is None else cell


def escape_markdown(text: str) -> str:
    """A stranger's text as plain words: no line break, no markup, nothing that hides or turns."""
    shown = printable(text)
    return re.sub(r"([\\`*_\[\]<>#|!~&@]|:(?=//)|(?<=www)\.)", r"\\\1", shown)

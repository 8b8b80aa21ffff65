"""Escaping of untrusted text for csv, Markdown and HTML; content-security policy of a page."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jinja2
from pydantic import BaseModel

from bench.results.formatting import printable
from bench.results.interval import json_default

# First characters of a formula in spreadsheet programs, with their full-width forms.
FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def text_environment(
    *folders: Path, shown: Callable[[str], str] = printable, autoescape: bool = False
) -> jinja2.Environment:
    """A template environment for these folders: a missing variable is an error.

    `shown` changes every text value, by default to one printable line, except for `| safe`.
    """
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        autoescape=autoescape,
        undefined=jinja2.StrictUndefined,
        finalize=lambda value: shown(value) if type(value) is str else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html_environment(*folders: Path) -> jinja2.Environment:
    """A template environment for HTML: all values escaped."""
    return text_environment(*folders, autoescape=True)


def markdown_environment(*folders: Path) -> jinja2.Environment:
    """A template environment for Markdown: all text escaped, except for `| safe`."""
    return text_environment(*folders, shown=escape_markdown)


def json_environment(*folders: Path) -> jinja2.Environment:
    """A template environment for JSON: `| tojson` writes a value or a record, keys in order."""
    environment = text_environment(*folders, shown=str)
    environment.policies["json.dumps_kwargs"] = {"sort_keys": False, "default": _json_value}
    return environment


def _json_value(value: Any) -> Any:
    return value.model_dump() if isinstance(value, BaseModel) else json_default(value)


def content_security_policy(style: str) -> str:
    """The content-security policy of a page that allows this style only, and no script."""
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; script-src 'none'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )


def csv_safe(cell: object) -> object:
    """A csv cell that a spreadsheet shows and does not run: a possible formula gets a quote.

    Text becomes one printable line (CWE-1236, formula injection); None becomes empty.
    """
    if isinstance(cell, str):
        risky = cell[:1].isspace() or cell.lstrip().startswith(FORMULA_STARTS)
        text = printable(cell)
        return f"'{text}" if risky else text
    return "" if cell is None else cell


def escape_markdown(text: str) -> str:
    """Untrusted text for Markdown: one printable line, with markup characters escaped."""
    shown = printable(text)
    return re.sub(r"([\\`*_\[\]<>#|!~&@]|:(?=//)|(?<=www)\.)", r"\\\1", shown)

"""Input and output of commands: lines of JSON, paths of written files, bytes of a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cli._errors import log
from bench.results.interval import json_default

if TYPE_CHECKING:
    from bench.leaderboard.validation import ValidationIssue


def print_json(content: Any) -> None:
    """Print a value as one line of JSON on standard output; `json_default` lists what it may hold.

    Raises ValueError for NaN.
    """
    text = json.dumps(content, ensure_ascii=False, allow_nan=False, default=json_default)
    print(text, flush=True)


def print_written(paths: Iterable[Path], as_json: bool) -> None:
    """Print the paths of written files, one a line, or as one JSON list."""
    if as_json:
        print_json([str(path) for path in paths])
    else:
        print("\n".join(f"wrote {path}" for path in paths))


def log_left_out(refused: Mapping[Path, Iterable[ValidationIssue]]) -> None:
    """Log every submission that is not used, with the reasons."""
    from bench.results.formatting import printable

    for path, issues in refused.items():
        log(printable(f"left out {path}: {' '.join(issue.message for issue in issues)}"))


def read_bytes(path: Path) -> bytes:
    """The content of a file. Raises ValueError, with the reason, where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from error

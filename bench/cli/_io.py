"""Output, errors and exit codes of commands; bytes of an input file."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from bench.results.interval import json_default

if TYPE_CHECKING:
    from bench.leaderboard.validation import ValidationIssue

T = TypeVar("T")

BAD_INPUT, FAILED, REFUSED, INTERRUPTED = 2, 3, 4, 130


def exit_on_error(command: Callable[..., T]) -> Callable[..., T]:
    """The command; on a ValueError or OSError it ends with one sentence and exit code 2.

    Ctrl-C ends it with exit code 130.
    """

    @functools.wraps(command)
    def call(*args: Any, **options: Any) -> T:
        try:
            return command(*args, **options)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            raise  # the reader of standard output has ended; typer exits without a message
        except (OSError, ValueError) as error:
            log(f"joulebench: {_sentence(error)}")
            raise typer.Exit(BAD_INPUT) from None

    return call


def warn_on_error(work: Callable[[], T]) -> T | None:
    """Draw a plot, or log why it failed and return None: a result is worth more than its plot."""
    try:
        return work()
    except (OSError, ValueError) as error:
        log(f"the plot could not be drawn: {error}")
        return None


def log(text: str) -> None:
    """Write a line to standard error."""
    print(text, file=sys.stderr)


def _sentence(error: OSError | ValueError) -> str:
    if isinstance(error, OSError) and not isinstance(error, TimeoutError):
        file = f" ({error.filename})" if error.filename else ""
        return f"results cannot be saved{file}: {error.strerror or error}"
    from pydantic import ValidationError

    from bench.results.settings import error_sentence

    return error_sentence(error) if isinstance(error, ValidationError) else str(error)


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

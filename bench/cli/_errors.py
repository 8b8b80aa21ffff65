"""How a command ends on an error: exit codes, one sentence on standard error."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, TypeVar

import typer

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

"""How a command ends on an error: exit codes, one sentence on standard error."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import typer

T = TypeVar("T")

BAD_INPUT, FAILED, REFUSED, INTERRUPTED = 2, 3, 4, 130


def exit_on_error(work: Callable[[], T]) -> T:
    """Do the work; where the input is bad, end with one sentence and exit code 2.

    Ctrl-C ends with exit code 130.
    """
    try:
        return work()
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except TimeoutError as error:
        exit_with_error(str(error))
    except OSError as error:
        file = f" ({error.filename})" if error.filename else ""
        exit_with_error(f"results cannot be saved{file}: {error.strerror or error}")
    except ValueError as error:
        exit_with_error(_sentence(error))


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


def exit_with_error(sentence: str) -> NoReturn:
    """End with one sentence and exit code 2."""
    log(f"joulebench: {sentence}")
    raise typer.Exit(BAD_INPUT)


def _sentence(error: ValueError) -> str:
    from pydantic import ValidationError

    from bench.results.settings import error_sentence

    return error_sentence(error) if isinstance(error, ValidationError) else str(error)

"""How a command ends: exit codes, one sentence for bad input, progress between windows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import typer

T = TypeVar("T")
BAD_INPUT, FAILED, REFUSED, INTERRUPTED = 2, 3, 4, 130


def exit_on_error(work: Callable[[], T]) -> T:
    """Do it, or leave with one sentence and exit code 2 where the input is bad."""
    try:
        return work()
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except TimeoutError as error:
        exit_with_error(str(error))
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        exit_with_error(f"results can't be saved{where}: {error.strerror or error}")
    except ValueError as error:
        exit_with_error(str(error))


def warn_on_error(work: Callable[[], T]) -> T | None:
    """Do it, or say that it did not work: a picture is not worth losing a result over."""
    try:
        return work()
    except (OSError, ValueError) as error:
        log(f"the plot could not be drawn: {error}")
        return None


def log(text: str) -> None:
    print(text, file=sys.stderr)


def exit_with_error(sentence: str) -> NoReturn:
    log(f"joulebench: {sentence}")
    raise typer.Exit(BAD_INPUT)

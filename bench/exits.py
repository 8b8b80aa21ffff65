"""How a command ends: exit codes, one sentence for bad input, progress between windows."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NoReturn, TextIO, TypeVar

import typer

T = TypeVar("T")

BAD_INPUT, FAILED, REFUSED, INTERRUPTED = 2, 3, 4, 130


class Progress:
    """Says what a run is at, a line a step; on a terminal the trials share one line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream, self._shared = stream, False

    def __call__(self, text: str) -> None:
        self.clear()
        self._shared = self._stream.isatty() and text.startswith("trial ")
        self._stream.write(f"· {text}" + ("" if self._shared else "\n"))
        self._stream.flush()

    def clear(self) -> None:
        """Wipe the shared line."""
        if self._shared:
            self._stream.write("\r\033[K")
            self._shared = False


def or_stop(work: Callable[[], T]) -> T:
    """Do it, or leave with one sentence and exit code 2 where the input is bad."""
    try:
        return work()
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except TimeoutError as error:
        stop(str(error))
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        stop(f"results can't be saved{where}: {error.strerror or error}")
    except ValueError as error:
        stop(str(error))


def or_none(work: Callable[[], T]) -> T | None:
    """Do it, or say that it did not work: a picture is not worth losing a result over."""
    try:
        return work()
    except (OSError, ValueError) as error:
        say(f"the plot could not be drawn: {error}")
        return None


def say(text: str) -> None:
    print(text, file=sys.stderr)


def stop(sentence: str) -> NoReturn:
    say(f"joulebench: {sentence}")
    raise typer.Exit(BAD_INPUT)

"""The same run again for several models, or for all tasks: each in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from bench.exits import INTERRUPTED, say

if TYPE_CHECKING:
    import typer

    from bench.results.record import Result


@dataclass(frozen=True)
class Ended:
    """One task of several: its result, or the last words of a run that left none."""

    task: str
    code: int
    result: Result | None
    words: str


def options(ctx: typer.Context, *left_out: str) -> list[str]:
    """The options of a command as they were given, ready for another process."""
    words: list[str] = []
    for parameter in ctx.command.params:
        value = ctx.params.get(str(parameter.name))
        if parameter.param_type_name != "option" or parameter.name in left_out:
            continue
        if value in (None, False, [], ()) or value == parameter.default:
            continue
        name = parameter.opts[0]
        for one in value if isinstance(value, list | tuple) else [value]:
            words += [name] if one is True else [name, _word(one)]
    return words


def models(task: str, names: Iterable[str], words: Sequence[str]) -> int:
    """Run a task on one model after the other; gives the first exit code that is not 0."""
    codes = []
    for name in names:
        process = subprocess.Popen(_command(task, [*words, "--model", name]))
        try:
            codes.append(process.wait())
        except KeyboardInterrupt:
            # The terminal told the run too: it saves its finished trials, and says so.
            codes.append(process.wait())
        if codes[-1] == INTERRUPTED:
            break
    return first_bad(codes)


def tasks(names: Sequence[str], words: Sequence[str], as_json: bool) -> list[Ended]:
    """Run one task after the other, a line of JSON a result where they are asked for."""
    ended = []
    for place, name in enumerate(names, 1):
        say(f"· {place} of {len(names)}: {name}")
        ended.append(_task(name, words, as_json))
        if ended[-1].code == INTERRUPTED:
            break
        if ended[-1].result is None:
            say(f"  {ended[-1].words}")
    return ended


def first_bad(codes: Iterable[int]) -> int:
    """The first exit code that is not 0, or 0."""
    return next((code for code in codes if code), 0)


def _task(name: str, words: Sequence[str], as_json: bool) -> Ended:
    from bench.results import storage

    process = subprocess.Popen(
        _command(name, [*words, "--json"]),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    try:
        out, said = process.communicate()
    except KeyboardInterrupt:
        out, said = process.communicate()
    lines = out.splitlines()
    if as_json:
        print(out, end="", flush=True)
    result = storage.parse_result(lines[-1]) if lines else None
    return Ended(name, process.returncode, result, (said.strip().splitlines() or [""])[-1])


def _command(task: str, words: Sequence[str]) -> list[str]:
    # -P: a folder named bench where the user stands is not ours.
    return [sys.executable, "-P", "-m", "bench", "run", task, *words]


def _word(value: Any) -> str:
    return str(value.value if isinstance(value, Enum) else value)

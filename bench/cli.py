"""The door: `joulebench …`. Reads words, calls the room that does the work, sets the exit code.

Exit codes: 0 done; 2 bad input; 3 the run failed, recorded as a result; 4 a submission was refused;
130 interrupted, finished trials saved. Each file in `bench/commands` is a command.
"""

from __future__ import annotations

import sys

import typer

from bench import find

PANELS = ("Measure", "Understand", "Share")
app = typer.Typer(
    name="joulebench",
    help="Measure what inference costs in energy: with an interval, a boundary, and a meaning.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback()
def _door() -> None:
    """Without a callback a single command would take the place of the door."""


def main() -> None:
    """Entry point of the command. The command that was asked for is opened alone."""
    names = find.names("command")
    asked = [name for name in sys.argv[1:2] if name in names]
    modules = {name: find.module("command", name) for name in asked or names}
    for name in sorted(modules, key=lambda name: PANELS.index(modules[name].PANEL)):
        app.command(name, rich_help_panel=modules[name].PANEL)(modules[name].command)
    app()

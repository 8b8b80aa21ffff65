"""`joulebench track`: the energy of any program, from outside."""

from __future__ import annotations

from typing import Annotated

import typer

PANEL = "Measure"


def command(
    program: Annotated[list[str], typer.Argument(help="A program with its arguments.")],
) -> None:
    """Run a program and say what it drew: joulebench track -- python train.py"""
    # `bench.cli` opens this door itself, before it has read what the other commands need.
    from bench.tracker import door

    raise typer.Exit(door.main(program))

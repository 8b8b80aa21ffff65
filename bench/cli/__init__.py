"""Command line `joulebench COMMAND`: one file a command, with its function `command` and `PANEL`.

Exit codes: 0 done; 2 bad input; 3 the run failed, recorded as a result; 4 a submission was refused;
130 interrupted, finished trials saved. A command raises ValueError for bad input, with the sentence
that the user reads. Only the named command is imported; `--help` reads the
summaries of the others from their source text. A command imports its work inside its function.
"""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    from typer.core import TyperCommand

PANELS = ("Measure", "Understand", "Share")
CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"]}
HELP = "Measure the energy of inference, with its interval, its boundary and equivalences."


def main() -> None:
    """Entry point of the command `joulebench`. Ends the process with the exit code."""
    from bench.system import registry
    from bench.system.process import configure_environment

    configure_environment()
    name = " ".join(sys.argv[1:2])
    try:
        module = registry.load("command", name)
    except registry.NameNotFound:
        _list_commands()  # also refuses an unknown name
        return
    _run_command(name, module)


def _run_command(name: str, module: ModuleType) -> None:
    """Run one command apart from the group: parsing of a group imports pydantic, 0.1 s."""
    import typer
    from typer.main import get_command

    from bench.cli._io import exit_on_error

    app = typer.Typer(add_completion=False, context_settings=CONTEXT_SETTINGS)
    command = exit_on_error(module.command)
    app.command(name, cls=getattr(module, "COMMAND_CLASS", None))(command)
    get_command(app)(args=sys.argv[2:], prog_name=f"joulebench {name}")


def _list_commands() -> None:
    from typer.core import TyperGroup

    from bench.system import registry

    order = {panel: index for index, panel in enumerate(PANELS)}
    commands = [_summarize_command(name) for name in registry.names("command")]
    commands.sort(key=lambda command: order.get(command.rich_help_panel or "", len(order)))
    TyperGroup(
        name="joulebench",
        commands=commands,
        help=HELP,
        no_args_is_help=True,
        context_settings=CONTEXT_SETTINGS,
    )(prog_name="joulebench")


def _summarize_command(name: str) -> TyperCommand:
    """A command with the panel and the summary that `--help` shows, read from its source text."""
    from typer.core import TyperCommand

    from bench.system import registry

    text = registry.source_text("command", name)
    panel = re.search(r'^PANEL = "(.+)"', text, re.MULTILINE)
    summary = re.search(r'^def command\(.*?^    """(.+?)(?:"""|$)', text, re.DOTALL | re.MULTILINE)
    return TyperCommand(
        name,
        help=summary.group(1) if summary else "",
        rich_help_panel=panel.group(1) if panel else None,
    )

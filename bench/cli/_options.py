"""Options that several commands share, and options that are made from the fields of a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_origin

import typer

if TYPE_CHECKING:
    from bench.results.settings import Settings

Json = Annotated[bool, typer.Option("--json", help="One line of JSON a result on standard output.")]
Results = Annotated[Path, typer.Option(help="The folder of results.")]
Edition = Annotated[
    str, typer.Option(help="Phone charge: epa-current, epa-2019, epa-2024-01, iea-2025.")
]
DeviceName = Annotated[str, typer.Option(help="auto, cpu, cuda:N, or cuda:N,cuda:M for one model.")]
RegionName = Annotated[
    str | None, typer.Option("--region", help="Where: FR, US-WV, CA-QC, aws:eu-west-3, world.")
]
RegionOrAll = Annotated[
    str | None, typer.Option(help="FR, US-WV, aws:eu-west-3 … Default: a range over all countries.")
]
Pue = Annotated[
    float | None, typer.Option(min=1.0, help="Power usage effectiveness of the place; 1 is none.")
]
ResultFile = Annotated[Path, typer.Argument(help="A result file.")]


def options_from(
    kind: type[Settings], only: tuple[str, ...] = ()
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator that replaces `**options` of a command by one option for each field of `kind`.

    Name, type, default, help and least value come from the field. `only` names the fields to take;
    without it all are taken that the command has no parameter for. The command receives the values
    that are not None, by the fields' names.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = inspect.signature(command, eval_str=True).parameters
        names = [name for name in only or kind.model_fields if name not in own]
        made = [_parameter(kind, name) for name in names]
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [p for p in own.values() if p.kind not in (keyword, p.VAR_KEYWORD)]
        parameters += [*made, *(p for p in own.values() if p.kind == keyword)]

        def call(**values: Any) -> None:
            given = {name: values.pop(name) for name in names}
            command(**values, **{k: v for k, v in given.items() if v is not None})

        call.__name__, call.__doc__ = command.__name__, command.__doc__
        call.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [p.replace(kind=keyword) for p in parameters]
        )
        call.__annotations__ = {}
        return call

    return decorate


def help_of(kind: type[Settings], name: str) -> str:
    """The help text of a field."""
    return kind.options()[name].help


def _parameter(kind: type[Settings], name: str) -> inspect.Parameter:
    field, stated = kind.model_fields[name], kind.options()[name]
    # An option that may be repeated is a tuple of any length in a model, a list for typer.
    repeated = get_origin(field.annotation) is tuple
    annotation: Any = list[str] | None if repeated else field.annotation
    least = next((item.ge for item in field.metadata if hasattr(item, "ge")), None)
    option = typer.Option(stated.flag, help=stated.help, min=least)
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None if repeated else field.default,
        annotation=Annotated[annotation, option],
    )

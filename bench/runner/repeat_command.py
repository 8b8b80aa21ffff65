"""The command that repeats a run: from a record, through the fields of `RunConfig`."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

from bench.results.record import Result
from bench.runner.config import RunConfig, option_words
from bench.runner.protocol import QUICK_INFERENCES


def repeat_command(result: Result, kind: type[RunConfig] = RunConfig) -> str:
    """The `joulebench run` that repeats a result on the reader's machine, quoted for a shell.

    `kind` is the configuration whose fields are the options. A local folder or file is named by its
    last part alone, because a record keeps no more.
    """
    words = ["joulebench", "run", result.task.id]
    settings = result.model.settings
    for name, option in kind.options().items():
        if name in VALUES:
            words += option_words(kind, name, VALUES[name](result), DEFAULTS.get(name))
        elif option.recorded and settings.get(name) is not None:
            words += _setting_words(kind, name, settings[name])
    return shlex.join(words)


def _setting_words(kind: type[RunConfig], name: str, value: Any) -> list[str]:
    """The words of an option from `model.settings`; none for a value that is not possible.

    A submitted record may hold any value.
    """
    default = kind.model_fields[name].default
    if value == default:
        return []
    try:
        checked = kind(task="any", **{name: value})
    except ValueError:
        return []
    return option_words(kind, name, getattr(checked, name), default)


def _weights(result: Result) -> str | None:
    # An embedded model that ships as a configuration alone has random weights by itself.
    random = result.model.weights == "random" and result.model.settings.get("source") != "embedded"
    return "random" if random else None


def _attention(result: Result) -> Any:
    # A record states the attention that was in use; "sdpa" is what the library takes by itself.
    attention = result.model.settings.get("attention")
    return attention if attention in ("eager", "flash_attention_2") else None


def _size(result: Result) -> str | None:
    parameters = result.task.parameters
    if "width" not in parameters or "height" not in parameters:
        return None
    return f"{parameters['width']}x{parameters['height']}"


def _device(result: Result) -> str:
    """As many GPUs as the run used, counted from 0, or the CPU."""
    count = len(result.machine.used_gpus)
    return ",".join(f"cuda:{number}" for number in range(count)) or "cpu"


# The value of an option whose place in the record is not `model.settings`, or not as it was given.
VALUES: dict[str, Callable[[Result], Any]] = {
    "model": lambda result: result.model.id,
    "dataset": lambda result: result.task.dataset,
    "revision": lambda result: result.model.revision if "/" in result.model.id else None,
    "weights": _weights,
    "device": _device,
    "dtype": lambda result: result.model.dtype,
    "attention": _attention,
    "steps": lambda result: result.task.parameters.get("steps"),
    "size": _size,
    "budget_seconds": lambda result: result.protocol.budget_seconds,
    "strict": lambda result: result.profile == "strict",
    "quick": lambda result: result.profile == "quick",
    "max_inferences": lambda result: result.protocol.max_inferences,
}

# The values of a record that stand for an option that was left out.
DEFAULTS = {"max_inferences": QUICK_INFERENCES}

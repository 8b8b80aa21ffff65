"""`ModelSettings`: the options of a model, one field each; base of `RunConfig`.

A field is the only place where an option is defined: the command line, the overrides of an
ablation, the record, the command that repeats a run and the differences of a comparison read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bench.results.fields import Setting

Weights = Literal["pretrained", "random"]
Quantization = Literal["int8", "int4"]
Attention = Literal["eager", "sdpa", "flash_attention_2"]
LabelMethod = Literal["auto", "classifier", "zero-shot", "prompt"]
Dtype = Literal["auto", "float32", "fp32", "float16", "fp16", "bfloat16", "bf16"]

DTYPES: Mapping[str, str] = {"fp32": "float32", "fp16": "float16", "bf16": "bfloat16"} | {
    name: name for name in ("float32", "float16", "bfloat16")
}


@dataclass(frozen=True)
class Option:
    """How a field is described and spelled outside Python.

    `help` is a sentence, by default pydantic's `description`; `flag` its name on the command line
    where that differs from the field's; `override` its name in an override of an ablation, empty
    where it cannot be overridden; `recorded` is False where a record has another place for the
    value than `model.settings`.
    """

    help: str = ""
    flag: str = ""
    override: str = ""
    recorded: bool = True


Elsewhere = partial(Option, recorded=False)
"""An option whose value a record has in another place than `model.settings`."""


class Settings(BaseModel):
    """Base of all options: frozen and checked; an unknown name is refused with the nearest one."""

    # The schema is built on first use, which keeps `joulebench run --help` fast.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _known_names(cls, values: Any) -> Any:
        unknown = [] if not isinstance(values, Mapping) else [*values.keys() - cls.model_fields]
        for name in sorted(map(str, unknown)):
            import difflib

            near = difflib.get_close_matches(name, cls.model_fields, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose from {', '.join(cls.options())}"
            raise ValueError(f"there is no option {name!r}; {hint}")
        return values

    @classmethod
    @cache
    def options(cls) -> dict[str, Option]:
        """The spelling of every field, by the field's name, with help and flag filled in."""
        options = {}
        for name, field in cls.model_fields.items():
            stated = next((item for item in field.metadata if isinstance(item, Option)), Option())
            text = stated.help or field.description or ""
            flag = stated.flag or f"--{name.replace('_', '-')}"
            options[name] = replace(stated, help=text, flag=flag)
        return options

    def with_changes(self, **changes: Any) -> Self:
        """A checked copy with other values. Raises ValidationError, which is a ValueError."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return type(self)(**{**given, **changes})

    def recorded_settings(self) -> dict[str, Setting]:
        """The options that belong into `model.settings` of a record.

        An option that is left to the program (None, empty or "auto") is not recorded.
        """
        values = self.model_dump(mode="json")
        return {
            name: values[name]
            for name, spelling in self.options().items()
            if spelling.recorded and values[name] not in (None, "auto", "", [], {})
        }


class ModelSettings(Settings):
    """How a model is loaded and used; backends receive it as `ModelSpec.settings`."""

    weights: Annotated[
        Weights, Elsewhere("random builds the architecture alone; it never ranks.")
    ] = "pretrained"
    revision: Annotated[str | None, Elsewhere("Commit or branch of a hub model.")] = None
    dtype: Annotated[
        Dtype, Elsewhere("auto: float32; on a GPU float16 to generate text.", override="dtype")
    ] = "auto"
    batch_size: Annotated[
        int, Field(ge=1), Option("Requests served together.", override="batch")
    ] = 1
    quantization: Annotated[
        Quantization | None,
        Option("Weights in 8 or 4 bits, through torchao.", override="quantization"),
    ] = None
    compile: Annotated[
        bool, Option("torch.compile, before anything is measured.", override="compile")
    ] = False
    attention: Annotated[
        Attention | None,
        Option("How attention is computed; else the library's choice.", override="attention"),
    ] = None
    label_method: Annotated[
        LabelMethod, Option("How a model classifies; auto: by its architecture.", flag="--ask")
    ] = "auto"
    allow_pickle: Annotated[bool, Option("Load weights that are not safetensors.")] = False
    trust_remote_code: Annotated[bool, Option("Run code that a model brings along.")] = False


def error_sentence(error: ValidationError) -> str:
    """One sentence for an error that pydantic reports in several lines."""
    parts = []
    for item in error.errors(include_url=False):
        name = ".".join(str(part) for part in item["loc"])
        message = item["msg"].removeprefix("Value error, ")
        own = item["type"] == "value_error"  # a sentence of a validator, complete by itself
        parts.append(message if own else f"{name} {item['input']!r}: {message}")
    return "; ".join(parts)

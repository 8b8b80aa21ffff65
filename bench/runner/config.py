"""`RunConfig`: every option of a run, one field each; overrides such as `dtype=bf16`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, TypeVar

from pydantic import Field, ValidationError, field_serializer, field_validator, model_validator

from bench.results.fields import Scalar
from bench.results.settings import Elsewhere, ModelSettings, Option, error_sentence

if TYPE_CHECKING:
    from bench.results.machine_record import Machine

# Pipeline tags of the tasks whose denoising steps and image size can be set.
DIFFUSION_TAGS = ("text-to-image", "text-to-video")

# The autoencoders of latent diffusion models reduce each side by a factor of 8.
SIZE_MULTIPLE = 8

Profile = Literal["standard", "strict", "quick"]
Config = TypeVar("Config", bound="RunConfig")


class RunConfig(ModelSettings):
    """One run of one model on one task.

    The command `joulebench run` is made from these fields, and so is the command that repeats a
    run. Raises pydantic's ValidationError, which is a ValueError, for a value that is not possible.
    """

    task: Annotated[str, Elsewhere("A task (see `joulebench tasks`), a pipeline tag, or all.")]
    model: Annotated[str, Elsewhere("Hub id, folder, embedded/tiny or embedded/small.")] = (
        "embedded/small"
    )
    dataset: Annotated[
        str | None,
        Elsewhere("embedded, standard, power-hungry …, or a path. By default the model's."),
    ] = None
    device: Annotated[str, Elsewhere("auto, cpu, cuda:N, or cuda:N,cuda:M for one model.")] = "auto"
    steps: Annotated[
        int | None,
        Field(ge=1),
        Elsewhere("Denoising steps: other work, ranked apart.", override="steps"),
    ] = None
    size: Annotated[
        str | None,
        Elsewhere("Image size, e.g. 512x512: other work, ranked apart.", override="size"),
    ] = None
    budget_seconds: Annotated[
        float | None,
        Field(ge=1),
        Elsewhere("Seconds beyond loading; 150 on a CPU, 300 on a GPU.", flag="--budget"),
    ] = None
    strict: Annotated[bool, Elsewhere("±1 % and 30 s idle floors.")] = False
    quick: Annotated[bool, Elsewhere("Seconds only; never ranks.")] = False
    max_inferences: Annotated[
        int | None, Field(ge=1), Elsewhere("Cut each block to N inferences; makes a quick run.")
    ] = None
    out: Annotated[Path | None, Elsewhere("Where results go.")] = None
    backend: Annotated[str | None, Option("Instead of the one for the task.")] = None
    meter: Annotated[str | None, Option("This meter alone, e.g. replay:F.csv.")] = None
    cpu_tdp_watts: Annotated[
        float | None,
        Field(ge=0.1),
        Option("The CPU's TDP in watts, for modelled energy.", flag="--cpu-tdp"),
    ] = None
    meter_option: Annotated[
        tuple[str, ...], Option("NAME=VALUE for the meters, e.g. nvml_counter_duty=0.25.")
    ] = ()

    @field_validator("size")
    @classmethod
    def _size_is_possible(cls, size: str | None) -> str | None:
        if size is not None:
            image_size(size)
        return size

    @field_validator("meter_option")
    @classmethod
    def _options_have_values(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        for word in words:
            name, _, value = word.partition("=")
            if not (name and value):
                raise ValueError(f"--meter-option takes NAME=VALUE, not {word!r}")
        return words

    # A record names a file by its last part, so that no user name leaves the machine.
    @field_serializer("meter")
    def _meter_without_folders(self, meter: str | None) -> str | None:
        return meter and _without_folders(meter, ":")

    @field_serializer("meter_option")
    def _options_without_folders(self, options: tuple[str, ...]) -> list[str]:
        return [_without_folders(option, "=") for option in options]

    @model_validator(mode="after")
    def _one_profile(self) -> Self:
        if self.strict and (self.quick or self.max_inferences):
            raise ValueError("--strict does not go with --quick or --max-inferences")
        return self

    @property
    def profile(self) -> Profile:
        """The profile of the run: strict, quick (also by `max_inferences`), or standard."""
        if self.quick or self.max_inferences:
            return "quick"
        return "strict" if self.strict else "standard"

    @property
    def task_parameters(self) -> dict[str, Scalar]:
        """The parameters of the task that this run sets: steps, width and height."""
        steps = {} if self.steps is None else {"steps": self.steps}
        if self.size is None:
            return {**steps}
        width, height = image_size(self.size)
        return {**steps, "width": width, "height": height}

    @property
    def meter_options(self) -> dict[str, str]:
        """The options of the meters, by name."""
        tdp = {} if self.cpu_tdp_watts is None else {"cpu_tdp_watts": str(self.cpu_tdp_watts)}
        return tdp | {
            name: value for name, _, value in (o.partition("=") for o in self.meter_option)
        }

    def command_line(self, without: tuple[str, ...] = ()) -> list[str]:
        """The options of `joulebench run` that differ from their default, for another process.

        `without` names fields to leave out; the task, an argument, is always left out.
        """
        words: list[str] = []
        for name in self.options():
            if name not in ("task", *without):
                default = type(self).model_fields[name].default
                words += option_words(type(self), name, getattr(self, name), default)
        return words


def image_size(size: str) -> tuple[int, int]:
    """Width and height in pixels of a size such as 512x512.

    Raises ValueError where it is written otherwise or a side is no multiple of 8.
    """
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ValueError(f"the size {size!r} is not like 512x512")
    sides = int(width), int(height)
    if any(side == 0 or side % SIZE_MULTIPLE for side in sides):
        raise ValueError(f"the sides of the size {size} are not multiples of {SIZE_MULTIPLE}")
    return sides


def option_words(kind: type[RunConfig], name: str, value: Any, default: Any = None) -> list[str]:
    """One option as words of a command line; none where the value is the default."""
    if value is None or value is False or value == default:
        return []
    flag = kind.options()[name].flag
    if value is True:
        return [flag]
    values = value if isinstance(value, tuple | list) else [value]
    return [word for one in values for word in (flag, _word(one))]


def apply_override(config: Config, override: str) -> Config:
    """The configuration with an override such as "dtype=bf16" or "batch=8,compile=on".

    Raises ValueError with one sentence for an override that is unknown or not possible.
    """
    names = {o.override: name for name, o in config.options().items() if o.override}
    for part in override.split(","):
        name, _, text = (word.strip() for word in part.partition("="))
        if name not in names:
            raise ValueError(
                f"there is no setting {part!r}; choose from {', '.join(names)}, as in dtype=bf16"
            )
        value: Any = {"on": True, "off": False}.get(text, text)
        try:
            config = config.with_changes(**{names[name]: value})
        except ValidationError as error:
            message = f"the setting {part!r} is not possible: {error_sentence(error)}"
            raise ValueError(message) from error
    return config


def torch_devices(device: str, machine: Machine) -> tuple[str, ...]:
    """The torch devices of a run, such as ("cuda:0", "cuda:1") or ("cpu",).

    `device` is the option of this name; `machine` was described with it.
    """
    if not machine.used_gpus:
        return ("cpu",)
    names = "cuda:0" if device == "auto" else device
    return tuple(name.strip() for name in names.split(","))


def _word(value: Any) -> str:
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _without_folders(text: str, separator: str) -> str:
    name, separator, value = text.partition(separator)
    return f"{name}{separator}{Path(value).name}"

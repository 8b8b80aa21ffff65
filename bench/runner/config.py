"""`RunConfig(ModelSettings)`: every option of a run; overrides such as `dtype=bf16`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from bench.results.settings import DTYPES
from bench.task import Setting

# Tags of tasks whose steps and size can be chosen.
DRAWING = ("text-to-image", "text-to-video")
Profile = Literal["standard", "strict", "quick"]


@dataclass(frozen=True)
class RunConfig:
    """One run as it was asked for on the command line."""

    task: str
    out: Path
    model: str = "embedded/small"
    weights: str = "pretrained"
    dataset: str | None = None
    device: str = "auto"
    dtype: str = "auto"
    batch_size: int = 1
    quantization: str | None = None
    compile: bool = False
    attention: str | None = None
    chosen: Mapping[str, Setting] = field(default_factory=dict)
    revision: str | None = None
    allow_pickle: bool = False
    trust_remote_code: bool = False
    budget_seconds: float | None = None
    profile: Profile = "standard"
    max_inferences: int | None = None
    backend: str | None = None
    meter: str | None = None
    ask: str = "auto"
    options: Mapping[str, str] = field(default_factory=dict)


def image_parameters(steps: int | None, size: str | None) -> dict[str, int]:
    """The parameters of a task that draws, where they are chosen: steps, width and height.

    Raises ValueError for a size that is not like 640x480.
    """
    chosen = {} if steps is None else {"steps": steps}
    if size is None:
        return chosen
    width, _, height = size.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ValueError(f"the size {size!r} is not like 512x512")
    sides = {"width": int(width), "height": int(height)}
    if any(side == 0 or side % 8 for side in sides.values()):
        raise ValueError(f"the size {size} is not in whole eights of pixels")
    return {**chosen, **sides}


NAMES = ("dtype", "batch", "quantization", "compile", "attention", "steps", "size")


def apply_override(asked: RunConfig, lever: str) -> RunConfig:
    """What was asked, with a lever such as "dtype=bf16" or "batch=8,compile=on" pulled.

    Raises ValueError with one sentence for a lever that there is not.
    """
    for part in lever.split(","):
        name, _, value = (word.strip() for word in part.partition("="))
        if name == "dtype" and value in DTYPES:
            asked = replace(asked, dtype=value)
        elif name == "batch" and value.isdecimal() and int(value) > 0:
            asked = replace(asked, batch_size=int(value))
        elif name == "quantization" and value in ("int8", "int4"):
            asked = replace(asked, quantization=value)
        elif name == "compile" and value in ("on", "off"):
            asked = replace(asked, compile=value == "on")
        elif name == "attention" and value in ("eager", "sdpa", "flash_attention_2"):
            asked = replace(asked, attention=value)
        elif name == "steps" and value.isdecimal() and int(value) > 0:
            asked = replace(asked, chosen={**asked.chosen, "steps": int(value)})
        elif name == "size":
            asked = replace(asked, chosen={**asked.chosen, **image_parameters(None, value)})
        else:
            raise ValueError(
                f"there is no lever {part!r}: give {', '.join(NAMES)}, as in dtype=bf16"
            )
    return asked

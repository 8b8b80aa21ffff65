"""Image generation: one picture for one prompt."""

from __future__ import annotations

from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The prompt of a row; what it asks to see is the reference where the data set names it."""
    prompt = str(row.get("prompt") or row.get("Prompt") or "").strip()
    limit = parameters.get("prompt_words")
    if isinstance(limit, int):
        prompt = " ".join(prompt.split()[:limit])
    if not prompt:
        return None
    label = row.get("label")
    return Request(inputs={"prompt": prompt}, reference=label if isinstance(label, str) else None)


def answer(asked: Request, output: Output) -> tuple[str, object] | None:
    """What was asked for, and what was drawn."""
    return None if output.image is None else (str(asked.inputs["prompt"]), output.image)


def recognised(asked: Request, output: Output) -> tuple[str, str] | None:
    """What was asked for, and what a classifier trained on real pictures sees in the drawn one."""
    if asked.reference is None or output.label is None:
        return None
    return asked.reference, output.label


TASK = Task(
    id="image-gen",
    version=1,
    title="Image generation",
    tag="text-to-image",
    inference="one image for one prompt",
    unit="image",
    parameters={"images_per_prompt": 1},
    datasets={
        "embedded": Embedded(
            "image-gen",
            parameters={"steps": 20, "guidance_scale": 3.0},
            metric=Metric("classifier agreement", "accuracy", recognised, needs_judge=True),
        ),
        "standard": Hub(
            "EnergyStarAI/image_generation",
            revision="main",
            split="train",
            parameters={"steps": 30},
        ),
        "power-hungry": Hub(
            "Gustavosta/Stable-Diffusion-Prompts",
            revision="d816d4a05cb89bde39dd99284c459801e1e7e69a",
            split="test",
            parameters={"prompt_words": 50},
        ),
    },
    request=request,
    metric=Metric("CLIP score", "clip-score", answer),
)

"""Image generation: one image for one prompt."""

from __future__ import annotations

from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The prompt of a row; the label of its object is the reference where the data set has one."""
    prompt = str(row.get("prompt") or row.get("Prompt") or "").strip()
    limit = parameters.get("prompt_words")
    if isinstance(limit, int):
        prompt = " ".join(prompt.split()[:limit])
    if not prompt:
        return None
    label = row.get("label")
    return Request(inputs={"prompt": prompt}, reference=label if isinstance(label, str) else None)


def answer(request: Request, output: Output) -> tuple[str, object] | None:
    """The prompt and the generated image."""
    return None if output.image is None else (str(request.inputs["prompt"]), output.image)


def labelled_answer(request: Request, output: Output) -> tuple[str, str] | None:
    """The label in the prompt, and the label that the image judge gives the generated image."""
    if request.reference is None or output.label is None:
        return None
    return request.reference, output.label


TASK = Task(
    id="image-gen",
    version=2,
    title="Image generation",
    tag="text-to-image",
    inference="one image for one prompt",
    unit="image",
    parameters={"images_per_prompt": 1},
    datasets={
        "embedded": Embedded(
            "image-gen",
            parameters={"steps": 20, "guidance_scale": 3.0},
            metric=Metric("classifier agreement", "accuracy", labelled_answer, needs_judge=True),
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

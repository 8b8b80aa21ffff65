"""Video generation: a short video for one prompt."""

from __future__ import annotations

from collections.abc import Mapping

from bench.task import Embedded, Hub, Metric, Output, Request, Row, Setting, Task


def request(row: Row, parameters: Mapping[str, Setting]) -> Request | None:
    """The prompt of a row."""
    prompt = str(row["prompt"]).strip()
    return Request(inputs={"prompt": prompt}) if prompt else None


def answer(request: Request, output: Output) -> tuple[str, list[object]] | None:
    """The prompt, and the first, the middle and the last frame of the generated video."""
    if not output.frames:
        return None
    last = len(output.frames) - 1
    return str(request.inputs["prompt"]), [output.frames[at] for at in (0, last // 2, last)]


TASK = Task(
    id="video-gen",
    version=1,
    title="Video generation",
    tag="text-to-video",
    inference="one video for one prompt",
    unit="video-second",
    parameters={},
    datasets={
        "embedded": Embedded(
            "video-gen",
            parameters={
                "frames": 9,
                "frames_per_second": 8,
                "width": 32,
                "height": 32,
                "steps": 2,
                "guidance_scale": 1.0,
            },
        ),
        # No study has published prompts for video yet: these are AI Energy Score's prompts for
        # images. 17 frames fit models that compress time by four or by eight.
        "standard": Hub(
            "EnergyStarAI/image_generation",
            revision="main",
            split="train",
            parameters={
                "frames": 17,
                "frames_per_second": 16,
                "width": 512,
                "height": 320,
                "steps": 30,
            },
        ),
    },
    request=request,
    metric=Metric("CLIP score", "clip-score", answer),
)

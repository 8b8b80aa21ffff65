"""The windows to measure: jobs of one tool on one profile, in parallel processes."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .meters import JOULEBENCH, TOOLS

PROFILES = (
    *("h100", "a100", "volta", "lagging", "slow-calls", "part-time-counter"),
    *("turing", "part-time-power", "average-only"),
)
LENGTHS = (0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
FULL_TIME = ("h100", "a100", "volta")  # more windows: targets of the error are stated for these
WITHOUT_COUNTER = ("turing", "part-time-power", "average-only")
OPTIONS = {
    "part-time-counter": {"nvml_counter_duty": "0.25"},
    "turing": {"nvml_power_duty": "1"},
}
FAULTS = ("lost", "forbidden", "forbidden from the start", "reset", "frozen")
COST_PROFILES = ("h100", "turing")
COST_SECONDS = 20.0
FAULT_SECONDS = 3.0
CHUNK = 50
REST_SECONDS = 1.6  # about what a window takes beyond its length


@dataclass(frozen=True)
class Job:
    """The windows of one process; a segment is (length in seconds, seed, number of windows)."""

    tool: str
    profile: str
    segments: tuple[tuple[float, int, int], ...]
    fault: str | None = None

    @property
    def seconds(self) -> float:
        """About how long the job takes."""
        return sum(count * (1.1 * length + REST_SECONDS) for length, _, count in self.segments)

    @property
    def uses_a_core(self) -> bool:
        """Zeus polls as fast as it can where there is no counter: such jobs run apart."""
        return self.tool == "Zeus" and self.profile in WITHOUT_COUNTER

    def as_dict(self) -> dict[str, Any]:
        """The job as the worker's argument."""
        return {
            "tool": self.tool,
            "profile": self.profile,
            "options": OPTIONS.get(self.profile, {}),
            "segments": self.segments,
            "fault": self.fault,
        }


@dataclass(frozen=True)
class Counts:
    """Numbers of windows for each tool, profile and length.

    `joulebench` is that of our meter where targets are stated, `others` of all else, `core` the
    most of a job that uses a core; `longer` has (joulebench, others) by the least length in s.
    """

    joulebench: int = 200
    others: int = 30
    core: int = 10
    longer: dict[float, tuple[int, int]] = field(
        default_factory=lambda: {5.0: (30, 6), 30.0: (8, 2)}
    )

    def of(self, tool: str, profile: str, length: float) -> int:
        """The number of windows of this tool, profile and length."""
        most = tool == JOULEBENCH and profile in FULL_TIME
        base = self.joulebench if most else self.others
        if Job(tool, profile, ()).uses_a_core:
            base = min(base, self.core)
        for limit, (joulebench, others) in sorted(self.longer.items(), reverse=True):
            if length >= limit:
                return min(base, joulebench if most else others)
        return base


def seed(profile: str, length: float, chunk: int) -> int:
    """The seed of a segment, the same for all tools: equal loads of equal lengths."""
    return zlib.crc32(f"{profile} {length} {chunk}".encode())


def windows(
    profiles: Sequence[str], lengths: Sequence[float], counts: Counts, tools: Sequence[str]
) -> list[Job]:
    """Our meter in many processes, each of which learns the sensor; others in one a profile."""
    jobs = []
    for profile in profiles:
        for tool in tools:
            segments = []
            for length in lengths:
                left, chunk = counts.of(tool, profile, length), 0
                size = max(1, min(CHUNK, round(150 / (length + REST_SECONDS))))
                while left > 0:
                    segments.append((length, seed(profile, length, chunk), min(left, size)))
                    left, chunk = left - size, chunk + 1
            if tool == JOULEBENCH:
                jobs += [Job(tool, profile, (segment,)) for segment in segments]
            else:
                jobs.append(Job(tool, profile, tuple(segments)))
    return jobs


def costs(tools: Sequence[str]) -> list[Job]:
    """One window of 20 s for each tool, with a counter and without."""
    return [
        Job(tool, profile, ((COST_SECONDS, seed(profile, COST_SECONDS, 0), 1),))
        for tool in tools
        for profile in COST_PROFILES
    ]


def faults(tools: Sequence[str]) -> list[Job]:
    """One window for each tool and fault, with the fault in its middle."""
    segment = (FAULT_SECONDS, seed("fault", FAULT_SECONDS, 0), 1)
    return [Job(tool, "h100", (segment,), fault) for tool in tools for fault in FAULTS]


def tool_names() -> tuple[str, ...]:
    """The names of all tools."""
    return tuple(TOOLS)

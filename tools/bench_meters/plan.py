"""Which windows are measured: jobs of one tool on one profile, in processes side by side."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from .meters import OURS, TOOLS

PROFILES = (
    *("h100", "a100", "volta", "lagging", "slow-calls", "part-time-counter"),
    *("turing", "part-time-power", "average-only"),
)
LENGTHS = (0.05, 0.1, 0.5, 1.0, 5.0, 30.0)
FULL_TIME = ("h100", "a100", "volta")  # where issue 3 states how many windows there must be
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
REST_SECONDS = 1.6  # what a window costs beside its own length, about


@dataclass(frozen=True)
class Job:
    """What one process measures; a segment is (length in seconds, seed, windows)."""

    tool: str
    profile: str
    segments: tuple[tuple[float, int, int], ...]
    fault: str | None = None

    @property
    def seconds(self) -> float:
        return sum(count * (1.1 * length + REST_SECONDS) for length, _, count in self.segments)

    @property
    def loud(self) -> bool:
        """Zeus polls as fast as it can where there is no counter: a core each, so run apart."""
        return self.tool == "Zeus" and self.profile in WITHOUT_COUNTER

    def text(self) -> dict[str, Any]:
        """What the worker is told."""
        return {
            "tool": self.tool,
            "profile": self.profile,
            "options": OPTIONS.get(self.profile, {}),
            "segments": self.segments,
            "fault": self.fault,
        }


@dataclass(frozen=True)
class Counts:
    """How many windows a cell gets: of ours where the targets are stated, and of all others.

    At 5 s and 30 s there are fewer; `share` cuts all.
    """

    ours: int = 200
    others: int = 30
    loud: int = 10
    longer: dict[float, tuple[int, int]] = field(
        default_factory=lambda: {5.0: (30, 6), 30.0: (8, 2)}
    )

    def of(self, tool: str, profile: str, length: float) -> int:
        most = tool == OURS and profile in FULL_TIME
        base = self.ours if most else self.others
        if Job(tool, profile, ()).loud:
            base = min(base, self.loud)
        for limit, (ours, others) in sorted(self.longer.items(), reverse=True):
            if length >= limit:
                return min(base, ours if most else others)
        return base


def seed(profile: str, length: float, chunk: int) -> int:
    """The same for all tools: they see the same loads of the same lengths."""
    return zlib.crc32(f"{profile} {length} {chunk}".encode())


def windows(
    profiles: Sequence[str], lengths: Sequence[float], counts: Counts, tools: Sequence[str]
) -> list[Job]:
    """Ours in many processes, each of which learns the sensor anew; the others in one a profile."""
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
            if tool == OURS:
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
    """One window in whose middle something goes wrong."""
    segment = (FAULT_SECONDS, seed("fault", FAULT_SECONDS, 0), 1)
    return [Job(tool, "h100", (segment,), fault) for tool in tools for fault in FAULTS]


def everything() -> tuple[str, ...]:
    return tuple(TOOLS)

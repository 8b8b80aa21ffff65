"""A simulated backend that takes time and computes nothing, for tests of a run."""

from __future__ import annotations

import random
from collections.abc import Sequence

from bench.backends import BackendError, ModelSpec, ServedBatch
from bench.results.record import Backend, Model, Work
from bench.system.clock import Clock, SystemClock
from bench.task import Output, Request

TAGS: tuple[str, ...] = ()


class SimulatedSession:
    """A session in which each request takes `seconds`.

    `noise` is the relative standard deviation of the duration of one `serve`, drawn with `seed`.
    The `serve` of number `fail_at`, counted from 0, raises BackendError.
    """

    def __init__(
        self,
        spec: ModelSpec,
        clock: Clock,
        seconds: float = 0.1,
        noise: float = 0.0,
        seed: int = 0,
        fail_at: int | None = None,
    ) -> None:
        self._clock, self._seconds, self._noise = clock, seconds, noise
        self._random = random.Random(seed)
        self._new_tokens = spec.parameters.get("new_tokens")
        self._tag, self._fail_at, self._served = spec.tag, fail_at, 0
        self.model = Model(
            id=spec.model,
            revision=None,
            weights="random",
            dtype=None,
            parameter_count=None,
            settings={"simulated_seconds": seconds},
        )
        self.backend = Backend(name="simulated", versions={})

    def serve(self, requests: Sequence[Request]) -> ServedBatch:
        if self._served == self._fail_at:
            raise BackendError("serve", "out-of-memory", "the simulated device has no memory left")
        self._served += 1
        factor = 1 + self._noise * self._random.gauss(0, 1)
        self._clock.sleep(self._seconds * len(requests) * max(factor, 0.01))
        tokens = self._new_tokens if isinstance(self._new_tokens, int) else None
        work = Work(
            inference_count=len(requests),
            output_token_count=tokens * len(requests) if tokens else None,
            image_count=len(requests) if self._tag == "text-to-image" else None,
        )
        return ServedBatch(work, tuple(Output() for _ in requests))

    def close(self) -> None:
        return None


def prepare(spec: ModelSpec) -> None:
    """Do nothing: there is no model to find."""


def load(spec: ModelSpec, source: None = None, clock: Clock | None = None) -> SimulatedSession:
    """A simulated session in which a request takes 10 ms."""
    return SimulatedSession(spec, clock or SystemClock(), seconds=0.01)

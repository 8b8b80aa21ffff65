"""Runs of several variants whose windows alternate, so that drift affects all of them alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import psutil

from bench.backends import BackendError, ModelNotFound
from bench.results.record import Failure, Result
from bench.runner.events import Event, OnEvent, ignore
from bench.runner.run_loop import RunLoop

# Share of the free memory that the models of all variants may take together; the other half is for
# activations, which are not known before.
MEMORY_SHARE = 0.5
BYTES_PER_PARAMETER = 4  # float32, the widest precision


@dataclass
class Variant:
    """One configuration while it is measured; `block_seconds` is known after the warm-up."""

    name: str
    run: RunLoop
    block_seconds: float = 0.0
    failure: Failure | None = None


def run_interleaved(variants: Sequence[Variant], rounds: int, on_event: OnEvent = ignore) -> None:
    """Idle floors, loading, warm-up, then one window of every variant in each round.

    The order A B C is reversed from round to round. A variant that fails keeps its failure and is
    left out of later rounds.
    """
    base = variants[0]
    base.run.measure_idle("cold")
    keep_loaded = True
    for variant in variants:
        on_event(Event("variant-loading", variant=variant.name))
        _record_failure(variant, partial(_warm_up, variant))
        if variant is base:
            keep_loaded = _fits(variant, len(variants))
            if not keep_loaded:
                on_event(Event("variants-do-not-fit"))
        if not keep_loaded:
            variant.run.unload()
    _record_failure(base, base.run.load)
    base.run.measure_idle("resident")
    for variant in variants[1:]:
        variant.run.recorder.update(idle=base.run.recorder.draft.idle)
    working = [variant for variant in variants if variant.failure is None]
    if not working:
        return
    blocks = _set_blocks(working, rounds)
    for number in range(rounds):
        on_event(Event("round-started", index=number + 1, of=rounds, windows=len(working)))
        for variant in working if number % 2 == 0 else working[::-1]:
            if variant.failure is None:
                _record_failure(variant, partial(_measure, variant, blocks, keep_loaded))
    for variant in variants:
        variant.run.unload()


def finish_variant(variant: Variant) -> Result:
    """Save the record of one variant: an ordinary result with the setting `interleaved`."""
    variant.run.recorder.add_settings(interleaved=True)
    if variant.failure is not None:
        return variant.run.close("failed", failure=variant.failure)
    variant.run.evaluate_quality()
    return variant.run.close("done", "trials")


def _record_failure(variant: Variant, work: Callable[[], object]) -> None:
    """Do the work; where it fails, the variant keeps the reason and is closed."""
    try:
        work()
    except BackendError as error:
        variant.failure = Failure(stage=error.stage, code=error.code, message=error.message)
    except ModelNotFound as error:
        variant.failure = Failure(stage="load", code="unsupported", message=str(error))
    if variant.failure:
        variant.run.unload()


def _warm_up(variant: Variant) -> None:
    variant.run.load()
    variant.block_seconds = variant.run.warm_up()


def _measure(variant: Variant, blocks: int, keep_loaded: bool) -> None:
    if variant.run.session is None:
        variant.run.load().serve(variant.run.workload.blocks[0])
    variant.run.trial(blocks, "measured")
    if not keep_loaded:
        variant.run.unload()


def _set_blocks(variants: Sequence[Variant], rounds: int) -> int:
    """Blocks in every window: the same work for all, long enough for the fastest variant."""
    protocol = variants[0].run.recorder.draft.protocol
    durations = [variant.block_seconds for variant in variants]
    total = math.fsum(durations)
    # One variant that fails at once must not make the windows of the others endless.
    fastest = max(min(durations), total / len(variants) / 100)
    wanted = math.ceil(protocol.window_seconds / max(fastest, 1e-9))
    fitting = math.floor(protocol.budget_seconds / max(rounds * total, 1e-9))
    blocks = max(1, min(wanted, fitting))
    for variant in variants:
        variant.run.recorder.update_protocol(blocks_per_trial=blocks, max_trials=rounds)
    return blocks


def _fits(variant: Variant, count: int) -> bool:
    """Whether `count` copies of a loaded model fit into memory together."""
    draft = variant.run.recorder.draft
    size = (draft.model.parameter_count or 0) * BYTES_PER_PARAMETER
    gpus = [d.memory_bytes for d in draft.machine.used_gpus if d.memory_bytes]
    free = min(gpus) if gpus else int(psutil.virtual_memory().available)
    return count * size <= MEMORY_SHARE * free

"""The sensor part in Markdown: what was found on each card, and what follows from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tools.gpu_check.record import number, percent, ratio, table, title
from tools.gpu_check.wave import PART_OF_IT

LATE_SECONDS = 0.02
CALIBRATION_HALF_WIDTH = 0.05
COSTLY = 0.01

Card = Mapping[str, Any]


def page(record: Mapping[str, Any]) -> str:
    """The whole page."""
    lines = title(record)
    for card in record["cards"]:
        device = card["device"]
        lines += [f"## {device['domain']}: {device['name']}", ""]
        lines += [f"- {finding}" for finding in findings(card)] + [""]
        lines += table(["What", "Found"], [list(row) for row in _figures(card)])
        lines += _sweep(card)
    return "\n".join(lines).rstrip() + "\n"


def findings(card: Card) -> Iterator[str]:
    """What follows for the estimator, in sentences."""
    rest, lag, share = card.get("at_rest", {}), card.get("lag", {}), card.get("looking_share", {})
    if share:
        yield f"By a drifting square wave, {share['verdict']}."
    looking = share.get("counter_looking_share")
    if looking is not None and looking <= PART_OF_IT:
        yield f"Measure with the option `nvml_counter_duty={looking:.2f}` on this card."
    power = share.get("power_looking_share")
    if power is not None:
        yield f"The power reading looks for about {100 * power:.0f} % of a step."
    late = lag.get("lag_at_end_seconds")
    if late is not None:
        known = "within" if abs(late) < LATE_SECONDS else "more than"
        yield f"The counter is late by {1000 * late:.1f} ms, {known} {1000 * LATE_SECONDS:.0f} ms."
    for where, found in (("at rest", rest), ("under load", card.get("under_load", {}))):
        against = found.get("counter_to_power_ratio")
        if against is not None and abs(against - 1) > CALIBRATION_HALF_WIDTH:
            yield f"Counter and power reading differ {where} by {percent(against - 1)}."
    yield from _about_us(card)
    yield from (f"Not done: {line}." for line in card["skipped"])


def _about_us(card: Card) -> Iterator[str]:
    for name in ("energy", "time"):
        found = card.get("overhead", {}).get(f"{name}_ratio")
        if found is None:
            continue
        if found["low"] <= 1 <= found["high"]:
            yield f"Our meters cost no {name} that shows: {ratio(found)} times without them."
        else:
            size = "more than 1 %" if abs(found["value"] - 1) > COSTLY else "less than 1 %"
            yield f"Our meters change the {name} by {size}: {ratio(found)} times without them."
    repeat = card.get("repeatability", {})
    scatter, said = (
        repeat.get("relative_standard_deviation"),
        repeat.get("stated_relative_uncertainty"),
    )
    if scatter is not None and said is not None:
        yield (
            f"A fixed workload repeats to {percent(scatter)} over {repeat['run_count']} runs; "
            f"each window states {percent(said)}, drift {percent(repeat['drift'])}."
        )


def _figures(card: Card) -> Iterator[tuple[str, str]]:
    rest, load = card.get("at_rest", {}), card.get("under_load", {})
    lag, share = card.get("lag", {}), card.get("looking_share", {})
    repeat, ours = card.get("repeatability", {}), card.get("overhead", {})
    yield "counter step", number(rest.get("counter_step_seconds"), "s", 4)
    yield "its jitter", number(rest.get("counter_jitter_seconds"), "s")
    yield "its longest step", number(rest.get("counter_longest_step_seconds"), "s")
    yield "its quantum", number(rest.get("counter_quantum_joules"), "J")
    yield "power reading's update", number(rest.get("power_update_seconds"), "s", 4)
    for name in ("counter", "power"):
        cost = number(rest.get(f"{name}_read_seconds"), "s")
        slow = number(rest.get(f"{name}_read_seconds_99th"), "s")
        yield f"a read of the {name}", f"{cost} (99 % within {slow})"
        if rest.get(f"{name}_failure"):
            yield f"why the {name} can't be read", rest[f"{name}_failure"]
    for where, found in (("at rest", rest), ("under load", load)):
        both = (number(found.get(f"{n}_watts"), "W", 4) for n in ("counter", "power_reading"))
        against = number(found.get("counter_to_power_ratio"), digits=4)
        yield f"counter, power reading, ratio {where}", ", ".join((*both, against))
    for end in ("start", "end"):
        late, spread = (lag.get(f"lag_at_{end}_{x}seconds") for x in ("", "spread_"))
        yield f"lag at the {end} of load", f"{number(late, 's')} ± {number(spread, 's')}"
    yield "counter looks for", percent(share.get("counter_looking_share"))
    yield "power reading looks for", percent(share.get("power_looking_share"))
    yield "energy with our meters / without", ratio(ours.get("energy_ratio"))
    yield "time with our meters / without", ratio(ours.get("time_ratio"))
    yield "to open and close a window", number(ours.get("open_and_close_seconds"), "s")
    yield "fixed workload, one inference", number(repeat.get("joules_per_inference"), "J", 4)
    yield (
        "temperature before, after",
        ", ".join(number(card.get(f"temperature_{x}_celsius"), "°C") for x in ("before", "after")),
    )


def _sweep(card: Card) -> list[str]:
    if "sweep" not in card:
        return []
    rows = [
        [number(row["period_steps"]), percent(row["duty"]), percent(row["seen_share"])]
        for row in card["sweep"]
    ]
    words = "Square waves: a counter that integrates sees the duty, apart from the card's ramps."
    return [words, "", *table(["period in steps", "duty", "seen by the counter"], rows)]

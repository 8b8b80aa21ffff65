"""What the page shows, as words: the board's document with its figures written out."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

from bench.footprint import words
from bench.records import Estimate

Json = dict[str, Any]


def view(document: Json) -> Json:
    """The variables of the template for a board's document."""
    tasks = [_task(task) for task in document["tasks"]]
    rows = [row for task in document["tasks"] for row in _all_rows(task)]
    return {
        "tasks": tasks,
        "count": len(rows),
        "choices": {
            "dtype": _choices(row["model"]["dtype"] for row in rows),
            "batch": _choices(row["batch_size"] for row in rows),
        },
        "latest": max((row["created_at"][:10] for row in rows), default=None),
        "phone_charge": document["phone_charge"],
        "grids": list(document["grids"].values()),
        "sources": _sources(document),
    }


def _sources(document: Json) -> list[str]:
    grids = document["grids"].values()
    return list(dict.fromkeys(f"{grid['source']}, {grid['licence']}" for grid in grids))


def _choices(values: Iterable[str | int | None]) -> list[str | int]:
    """What a filter offers: the values that occur, and none at all where there is only one."""
    known = sorted({value for value in values if value is not None})
    return known if len(known) > 1 else []


def _all_rows(task: Json) -> list[Json]:
    return [row for group in task["groups"] for row in group["rows"]] + task["listed"]


def _task(task: Json) -> Json:
    found = [row["energy_kwh_per_1000"] for row in _all_rows(task)]
    values = sorted(energy["value"] for energy in found if energy and energy["value"] > 0)
    unit, scale = words.energy_unit(values[len(values) // 2]) if values else ("kWh", 1.0)

    def shown(rows: list[Json]) -> Json:
        axis = Axis([r["energy_kwh_per_1000"] for r in rows if r["energy_kwh_per_1000"]], scale)
        return {"rows": [_row(row, scale, axis) for row in rows], "ticks": axis.ticks}

    return {
        "id": task["id"],
        "unit": words.unit(task["unit"]),
        "energy_unit": unit,
        "groups": [group | shown(group["rows"]) for group in task["groups"]],
        "listed": shown(task["listed"]),
    }


class Axis:
    """The logarithmic axis that all rows of a table share; positions are percentages."""

    def __init__(self, energies: list[Json], scale: float) -> None:
        ends = [end for e in energies for end in (e["low"], e["value"], e["high"]) if end > 0]
        low, high = (min(ends), max(ends)) if ends else (scale, scale)
        middle, reach = math.log10(low * high) / 2, max(math.log10(high / low) / 2, 0.25)
        self._start, self._width = middle - 1.12 * reach, 2.24 * reach
        self.ticks = self._ticks(scale)

    def place(self, kwh: float) -> float:
        """Where an energy in kWh lies, in percent from the left; 0 for what is not positive."""
        if kwh <= 0:
            return 0.0
        share = (math.log10(kwh) - self._start) / self._width
        return round(100 * min(1.0, max(0.0, share)), 2)

    def _ticks(self, scale: float) -> list[Json]:
        first = math.floor(self._start)
        decades = range(first, math.ceil(self._start + self._width) + 1)
        steps = (1,) if self._width > 1.5 else (1, 2, 5)
        marks = [step * 10.0**decade for decade in decades for step in steps]
        inside = [m for m in marks if 0.06 < (math.log10(m) - self._start) / self._width < 0.94]
        return [{"x": self.place(m), "label": words.number(m / scale, 1)} for m in inside]


def _row(row: Json, scale: float, axis: Axis) -> Json:
    energy, quality = _estimate(row["energy_kwh_per_1000"]), row["quality"]
    per_unit = _estimate(row["energy_joules_per_unit"])
    seconds = _estimate(row["duration_seconds_per_inference"])
    charges, grams = row["phone_charges_per_1000"], row["grams_co2e_per_1000"]
    time_unit, time_scale = words.time_unit(seconds.value) if seconds else ("s", 1.0)
    model = row["model"]
    error = row["gain_relative_half_width"] if row["kind"] == "modelled" else None
    made_of = words.made_of(model["dtype"], row["backend"], row["batch_size"], row["steps"])
    return row | {
        "name": words.visible(model["id"]),
        "made_of": made_of.split(" · "),
        "text": f"{words.visible(model['id'])} {made_of}".lower(),
        "parameters": words.count(model["parameter_count"]),
        "energy": words.gross(energy, scale, error),
        "energy_sort": "" if energy is None else repr(energy.value),
        "strip": energy and _strip(energy, row["energy_with_gain_kwh_per_1000"], axis),
        "joules": words.gross(per_unit, 1.0, error),
        "seconds": words.gross(seconds, time_scale),
        "time_unit": time_unit,
        "quality_words": quality
        and [words.percent(quality[end]) for end in ("value", "low", "high")],
        "charges": charges and _rough(charges),
        "grams": grams and {key: _rough(grams[key]) for key in ("world", "FR")},
        "badges": list(_badges(row)),
        "gain": _percent(row["gain_relative_half_width"]),
        "sort": _sort(row),
    }


def _strip(energy: Estimate, whole: Json, axis: Axis) -> Json:
    """Where the dot, the bar of the interval and the thin line with the scale error lie."""
    return {
        "dot": axis.place(energy.value),
        "bar": [axis.place(end) for end in (energy.low, energy.high)],
        "gain": [axis.place(whole["low"]), axis.place(whole["high"])],
    }


def _badges(row: Json) -> Iterator[str]:
    """Why a row has no rank, in a word or two each; the whole reason stands in its doubts."""
    if row["kind"] == "modelled":
        yield "modelled"
    if row["model"]["weights"] == "random":
        yield "random weights"
    if row["profile"] == "quick":
        yield "quick"
    if row["status"] != "done":
        yield row["status"]
    told = {"energy-modelled", "random-weights", "quick-run", "interrupted"}
    yield from (d["code"] for d in row["doubts"] if d["bars_ranking"] and d["code"] not in told)


def _sort(row: Json) -> Json:
    def value(name: str) -> object:
        found = row[name]
        return "" if found is None else found["value"]

    return {
        "rank": row["rank"] or "",
        "parameters": row["model"]["parameter_count"] or "",
        "energy": value("energy_kwh_per_1000"),
        "joules": value("energy_joules_per_unit"),
        "quality": value("quality"),
        "seconds": value("duration_seconds_per_inference"),
    }


def _rough(found: Json) -> tuple[str, str, str]:
    return words.rough(found["value"], found["low_with_gain"], found["high_with_gain"])


def _percent(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.2g}"


def _estimate(found: Json | None) -> Estimate | None:
    return None if found is None else Estimate.model_validate(found)

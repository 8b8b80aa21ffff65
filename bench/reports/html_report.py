"""One result as one HTML page that a person can mail: nothing is loaded, nothing runs."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bench.reports.plots.run as trials_plot
from bench.reports import plots, terminal
from bench.reports.plots import power_over_time
from bench.results import formatting, statistics, storage, units, views
from bench.results.escaping import content_security_policy, html_environment
from bench.results.formatting import energy_unit, format_number
from bench.results.record import Result, Trial
from bench.runner import repeat_command

FOLDER = Path(__file__).parent
PICTURES = ((trials_plot, "The trials"), (power_over_time, "Power over time"))


def html_report(result: Result, edition: str) -> str:
    """The page of a result: summary, warnings, pictures, trials, machine, how to repeat it.

    Whatever comes from the record is escaped; the record itself is inside, to be saved. The same
    result gives the same page. Raises ValueError for an unknown edition of the phone charge.
    """
    style = (FOLDER / "report.css").read_text(encoding="utf-8").strip()
    template = html_environment(FOLDER).get_template("report.html.jinja")
    summary = result.summary
    energy = summary.energy_kwh_per_1000 if summary else None
    whole = storage.to_json(result).encode()
    return template.render(
        result=result,
        title=terminal.result_title(result).plain,
        modelled=views.is_modelled(result),
        headline=terminal.headline_rows(result, energy) if energy else None,
        meaning=list(terminal.impact_rows(result, energy, edition)) if energy else [],
        pictures=list(_pictures(result)),
        trials=[_trial(result, trial) for trial in result.trials],
        machine=list(_machine(result)),
        command=repeat_command.repeat_command(result),
        record="data:application/json;base64," + base64.b64encode(whole).decode(),
        policy=content_security_policy(style, None),
        style=style,
    )


def _pictures(result: Result) -> Iterator[dict[str, str]]:
    for module, name in PICTURES:
        try:
            figure = module.draw([result])
        except ValueError:
            continue
        with io.BytesIO() as buffer:
            plots.write(figure, buffer, "svg")
            text = base64.b64encode(buffer.getvalue()).decode()
        yield {
            "name": name,
            "source": f"data:image/svg+xml;base64,{text}",
            "text": str(figure.get_label()),
        }


def _trial(result: Result, trial: Trial) -> dict[str, Any]:
    """A row of the table of trials; what could not be read is a dash."""
    domains = result.boundary.domains
    joules = statistics.energy_joules(trial, domains) if trial.readings else None
    count = trial.work.inference_count
    per_1000 = units.kwh_per_1000(joules / count) if joules is not None and count else None
    unit, size = energy_unit(per_1000 or 1.0)
    return {
        "index": trial.index,
        "phase": trial.phase,
        "count": f"{count:,}",
        "seconds": format_number(trial.duration_seconds, 4),
        "joules": formatting.MISSING if joules is None else format_number(joules, 5),
        "per_1000": formatting.MISSING
        if per_1000 is None
        else f"{format_number(per_1000 / size, 4)} {unit}",
    }


def _machine(result: Result) -> Iterator[tuple[str, str]]:
    """What the run took place on, a name and a value a line."""
    machine = result.machine
    yield "devices", "; ".join(views.device_labels(result))
    yield "processor", f"{machine.cpu_name}, {machine.cpu_logical_count} logical CPUs"
    yield "memory", f"{machine.memory_bytes / 2**30:.0f} GiB"
    yield "system", machine.operating_system + (", in a container" if machine.container else "")
    drivers = dict.fromkeys(d.driver_version for d in machine.devices if d.driver_version)
    if drivers:
        yield "driver", ", ".join(drivers)
    versions = [f"{name} {version}" for name, version in result.backend.versions.items()]
    yield "software", ", ".join([f"python {machine.python_version}", *versions])
    for sensor in machine.sensors:
        if sensor.usable:
            yield f"sensor {sensor.meter}", ", ".join(sensor.domains)
    settings = result.model.settings | result.task.parameters
    yield "settings", ", ".join(f"{key} {value}" for key, value in settings.items())
    yield "workload", f"{result.task.dataset}, fingerprint {result.task.fingerprint or '?'}"

"""One result as one self-contained HTML page: no script, no external file."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

from bench.reports import plots, terminal
from bench.reports.plots import power_over_time
from bench.reports.plots import run as trials_plot
from bench.results import formatting, statistics, storage, units, views
from bench.results.escaping import content_security_policy, html_environment
from bench.results.record import Result
from bench.runner import repeat_command

FOLDER = Path(__file__).parent
PLOTS = ((trials_plot, "The trials"), (power_over_time, "Power over time"))


def html_report(result: Result, edition: str) -> str:
    """The page of a result: summary, warnings, plots, trials, machine, command that repeats it.

    Text from the record is escaped; the record itself is embedded for download. The same result
    gives the same page. Raises ValueError for an unknown edition of the phone charge.
    """
    style = (FOLDER / "report.css").read_text(encoding="utf-8").strip()
    template = html_environment(FOLDER).get_template("report.html.jinja")
    summary = result.summary
    energy = summary.energy_kwh_per_1000 if summary else None
    rows = list(terminal.detail_rows(result, edition))
    if energy:
        rows = [*terminal.interval_rows(result, energy), *rows]
    record = base64.b64encode(storage.to_json(result).encode()).decode()
    return template.render(
        result=result,
        title=terminal.result_title(result).plain,
        modelled=views.is_modelled(result),
        kind=terminal.MODELLED if views.is_modelled(result) else terminal.MEASURED,
        headline=terminal.headline(result, energy) if energy else None,
        rows=[(name, value.splitlines()) for name, value in rows],
        plots=list(_plots(result)),
        trials=[(t, statistics.energy_joules(t, result.boundary.domains)) for t in result.trials],
        formatting=formatting,
        kwh_per_1000=units.kwh_per_1000,
        devices=views.device_labels(result),
        drivers=dict.fromkeys(d.driver_version for d in result.machine.devices if d.driver_version),
        settings=result.model.settings | result.task.parameters,
        command=repeat_command.repeat_command(result),
        record=f"data:application/json;base64,{record}",
        policy=content_security_policy(style),
        style=style,
    )


def _plots(result: Result) -> Iterator[dict[str, str]]:
    for module, name in PLOTS:
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

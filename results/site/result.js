"use strict";
// The page of one result: figures, warnings, trials, power over time, repeat command, environment.

const main = $("board");

function figures(row, task, grid) {
  const [unit, scale] = format.energyUnit(row.energy ? row.energy[0] : 1);
  const [timeUnit, timeScale] = format.timeUnit(row.duration ? row.duration[0] : 1);
  const item = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
  return h("dl", { class: `figures ${row.kind}` },
    item("Energy per 1,000", h("span", { class: "energy" }, figure(format.nonnegative(row.energy, scale, modelError(row)), unit))),
    item("Net of the idle floor, per 1,000", figure(format.interval(row.net_energy, scale, modelError(row)), unit)),
    item(`Energy per ${format.unitLabel(task.unit)}`, figure(format.nonnegative(row.energy_per_unit, 1, modelError(row)), "J")),
    item("Quality, %", quality(row)),
    item("Time per inference", figure(format.nonnegative(row.duration, timeScale), timeUnit)),
    item("Phone charges per 1,000", row.energy ? figure(format.rough(phoneCharges(row))) : format.MISSING),
    item(`g CO₂e per 1,000, ${grid.label}, ${grid.basis}`, row.energy ? figure(format.rough(scaled(withCalibration(row), grid.grams))) : format.MISSING));
}

function standing(row, task, details) {
  if (row.rank === null) {
    return h("div", { class: "standing" }, h("p", {}, h("b", {}, "Listed without rank.")),
      h("ul", {}, details.why_not_ranked.map((reason) => h("li", {}, reason))));
  }
  const [boundary, devices, dataset, count] = task.groups[row.group];
  return h("p", { class: "standing" }, h("b", {}, "Rank ", rankText(row)), ` of ${format.plural(count, "result")}: ${boundary} of ${devices.join(", ")}, ${dataset} data. Grade `,
    h("b", {}, row.grade), " · ", h("span", { role: "img", "aria-label": `${row.stars} of 5 stars` }, starSymbols(row.stars)),
    row.last_rank > row.rank && " · ties with another: the interval of their ratio, widened for the number of pairs, contains 1");
}

function trialTable(row, details) {
  const domains = [...new Set(details.trials.flatMap((trial) => trial[4].map(([domain]) => domain)))];
  const head = ["", "phase", "seconds", "inferences", "failed", ...domains.map((domain) => `${domain}, J`)];
  const rows = details.trials.map(([phase, seconds, inferences, failures, readings], number) => {
    const joules = domains.map((domain) => (readings.find(([name]) => name === domain) || [null, null])[1]);
    const cells = [phase, format.number(seconds, 4), inferences, failures, ...joules.map((j) => (j === null ? format.MISSING : format.number(j, 5)))];
    return h("tr", {}, h("th", { scope: "row" }, number), cells.map((cell, i) => h("td", { class: i ? "num" : null }, String(cell))));
  });
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Trials as a table" }, h("table", { class: "plain" },
    h("thead", {}, h("tr", {}, head.map((name, i) => h("th", { scope: "col", class: i > 1 ? "num" : null }, name || h("span", { class: "hidden-visually" }, "trial"))))),
    h("tbody", {}, rows)));
}

function section(title, ...content) {
  return content.flat(Infinity).some(Boolean) ? h("section", {}, h("h2", {}, title), ...content) : null;
}

function definitionList(values) {
  const shown = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

const settingsText = (values) => Object.entries(values || {}).map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(", ") : value}`).join(" · ");

function environment(details) {
  const { machine, backend, model, task, protocol } = details;
  const device = (d) => [`${d.domain}: ${d.name}`, d.power_limit_watts && `limit ${d.power_limit_watts} W`, d.driver_version && `driver ${d.driver_version}`, d.used === false && "not used"].filter(Boolean).join(", ");
  const sensor = (s) => h("li", {}, `${s.meter}: ${s.usable ? `${s.method || ""} ${(s.domains || []).join(", ")}` : s.reason || "not usable"}`);
  return definitionList({
    Processor: `${machine.cpu_name}, ${machine.cpu_logical_count} logical`,
    Memory: `${format.number(machine.memory_bytes / 2 ** 30)} GiB`,
    System: `${machine.operating_system} on ${machine.architecture}${machine.container ? ", in a container" : ""}, Python ${machine.python_version}`,
    Devices: machine.devices.length ? h("ul", {}, machine.devices.map((d) => h("li", {}, device(d)))) : null,
    Sensors: h("ul", {}, machine.sensors.map(sensor)),
    Engine: `${backend.name}${Object.keys(backend.versions).length ? ": " : ""}${settingsText(backend.versions)}`,
    Model: [model.id, model.revision && ` at ${model.revision}`, ` · ${model.weights} weights`],
    Settings: settingsText(model.settings),
    Task: `${task.id}, version ${task.version}, ${task.dataset} data${task.dataset_revision ? ` at ${task.dataset_revision}` : ""}`,
    Parameters: settingsText(task.parameters),
    Fingerprint: task.fingerprint && h("code", {}, task.fingerprint),
    "Idle floor": details.idle.map(([when, domain, watts]) => `${domain} ${when} ${watts === null ? "not read" : `${format.number(watts)} W`}`).join(" · "),
    Protocol: `${details.profile}: budget ${protocol.budget_seconds} s, target ±${format.number(100 * protocol.target_relative_half_width, 2)} %, ${protocol.min_trials} to ${protocol.max_trials} trials${details.stop_reason ? `; ended by ${details.stop_reason}` : ""}`,
    "Calibration uncertainty": details.calibration && `±${format.number(100 * details.calibration.relative_half_width, 2)} % (${details.calibration.source})`,
    Run: `${details.run_id} on ${details.created_at}, JouleBench ${details.joulebench_version}`,
    "Submitted by": details.submitted_by,
  });
}

const repeatCommand = (details) => h("pre", { tabindex: 0, "aria-label": "The command that repeats it" }, h("code", {}, details.command));

function warnings(details) {
  return details.warnings.length
    ? h("ul", { class: "warnings" }, details.warnings.map(({ blocks_ranking: blocks, message, remedy }) => h("li", {}, blocks ? h("b", {}, "Blocks ranking. ") : null, message, h("span", { class: "remedy" }, ` ${remedy}`))))
    : h("p", {}, "No warnings.");
}

async function show() {
  const name = state.name();
  const loaded = await jb.loadResult(name);
  main.replaceChildren();
  $("equivalences").hidden = !loaded?.row.energy;
  document.body.dataset.ready = "yes";
  if (!loaded) {
    document.title = "No such result · JouleBench";
    $("title").textContent = "No such result";
    main.append(h("p", {}, "This board has no result with this id. ", h("a", { href: "index.html" }, "All results")));
    return;
  }
  const { row, details, task } = loaded;
  const region = document.querySelector("select[name=region]");
  const grid = regions.find(region.value);
  document.title = `${format.printable(row.model)}, ${row.task} · JouleBench`;
  $("title").replaceChildren(format.printable(row.model) || "(no name)", " ", ...badges(row));
  $("crumb").replaceChildren(h("a", { href: `task-${row.task}.html` }, row.task), ` · ${format.printable(row.boundary)} of ${format.printable(row.device)} · ${format.printable(row.dataset)} data · ${row.date}`);
  const about = [`${format.count(row.parameter_count)} parameters`, ...runLabelParts(row)].join(" · ");
  const chart = trialChart(row, details.trials, details.boundary.domains);
  const power = powerChart(details.power);
  main.append(...[
    h("p", { class: "about" }, about),
    figures(row, task, grid), standing(row, task, details),
    section("Warnings", warnings(details)),
    section("Trials", chart, chart && h("p", { class: "about" }, "Each dot is a trial; the line is the ratio of sums, the band its 95 % interval. The interval allows for stopping early and for trials that follow each other."),
      h("details", {}, h("summary", {}, `All ${details.trials.length} trials, with warm-up`), trialTable(row, details))),
    section("Power over time", power || h("p", {}, "No profile trial was recorded."), power && h("p", { class: "about" }, "From a separate trial that is not in the figures.")),
    section("How to repeat it", repeatCommand(details)),
    section("Environment", environment(details)),
    h("p", {}, h("a", { href: `../submissions/${row.task}/${row.id}.json` }, "Raw record"), " · ", h("a", { href: `compare.html#${row.task}/${row.id}` }, "Compare with others")),
  ].filter(Boolean));
  showEquivalents([row]);
}

const choice = document.querySelector("select[name=region]");
regions.fill(choice, state.read().get("region") || "world");
choice.addEventListener("input", () => { state.write({ region: choice.value === "world" ? "" : choice.value }, state.name()); show(); });
window.addEventListener("hashchange", show);
show();

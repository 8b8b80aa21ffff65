"use strict";
// The page of one result: its figures, trials, power over time, warnings, environment, how to repeat.

const main = $("board");

function figures(row, task, grid) {
  const [unit, scale] = words.energyUnit(row.energy ? row.energy[0] : 1);
  const [timeUnit, timeScale] = words.timeUnit(row.seconds ? row.seconds[0] : 1);
  const item = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, ...value));
  return h("dl", { class: `figures ${row.kind}` },
    item("Energy per 1,000", h("span", { class: "energy" }, figure(words.gross(row.energy, scale, error(row)), unit))),
    item("Net of the idle floor, per 1,000", figure(words.span(row.net, scale, error(row)), unit)),
    item(`Energy per ${words.unit(task.unit)}`, figure(words.gross(row.joules, 1, error(row)), "J")),
    item("Quality, %", quality(row)),
    item("Time per inference", figure(words.gross(row.seconds, timeScale), timeUnit)),
    item("Phone charges per 1,000", row.energy ? figure(words.rough(charges(row))) : words.MISSING),
    item(`g CO₂e per 1,000, ${grid.label}`, row.energy ? figure(words.rough(times(whole(row), grid.grams))) : words.MISSING));
}

function standing(row, task, detail) {
  if (row.rank === null) {
    return h("div", { class: "standing" }, h("p", {}, h("b", {}, "Listed without rank.")),
      h("ul", {}, detail.why.map((why) => h("li", {}, why))));
  }
  const [boundary, devices, dataset, count] = task.groups[row.group];
  return h("p", { class: "standing" }, h("b", {}, "Rank ", rank(row)), ` of ${words.plural(count, "equal")}: ${boundary} of ${devices.join(", ")}, ${dataset} data. Grade `,
    h("b", {}, row.grade), " · ", h("span", { role: "img", "aria-label": `${row.stars} of 5 stars` }, starsText(row.stars)),
    row.tied && " · ties with another: the interval of their ratio holds 1");
}

function trialTable(row, detail) {
  const domains = [...new Set(detail.trials.flatMap((trial) => trial[4].map(([domain]) => domain)))];
  const head = ["", "phase", "seconds", "inferences", "failed", ...domains.map((domain) => `${domain}, J`)];
  const rows = detail.trials.map(([phase, seconds, inferences, failures, readings], number) => {
    const joules = domains.map((domain) => (readings.find(([name]) => name === domain) || [null, null])[1]);
    const cells = [phase, words.number(seconds, 4), inferences, failures, ...joules.map((j) => (j === null ? words.MISSING : words.number(j, 5)))];
    return h("tr", {}, h("th", { scope: "row" }, number), cells.map((cell, i) => h("td", { class: i ? "num" : null }, String(cell))));
  });
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Trials as a table" }, h("table", { class: "plain" },
    h("thead", {}, h("tr", {}, head.map((name, i) => h("th", { scope: "col", class: i > 1 ? "num" : null }, name || h("span", { class: "hidden-visually" }, "trial"))))),
    h("tbody", {}, rows)));
}

function section(title, ...content) {
  return content.flat(Infinity).some(Boolean) ? h("section", {}, h("h2", {}, title), ...content) : null;
}

function pairs(values) {
  const shown = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== "");
  return h("dl", { class: "facts" }, shown.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
}

const plain = (values) => Object.entries(values || {}).map(([name, value]) => `${name} ${Array.isArray(value) ? value.join(", ") : value}`).join(" · ");

function environment(detail) {
  const { machine, backend, model, task, protocol } = detail;
  const device = (d) => [`${d.domain}: ${d.name}`, d.power_limit_watts && `limit ${d.power_limit_watts} W`, d.driver_version && `driver ${d.driver_version}`, d.used === false && "not used"].filter(Boolean).join(", ");
  const sensor = (s) => h("li", {}, `${s.meter}: ${s.usable ? `${s.method || ""} ${(s.domains || []).join(", ")}` : s.reason || "not usable"}`);
  return pairs({
    Processor: `${machine.cpu_name}, ${machine.cpu_logical_count} logical`,
    Memory: `${words.number(machine.memory_bytes / 2 ** 30)} GiB`,
    System: `${machine.operating_system} on ${machine.architecture}${machine.container ? ", in a container" : ""}, Python ${machine.python_version}`,
    Devices: machine.devices.length ? h("ul", {}, machine.devices.map((d) => h("li", {}, device(d)))) : null,
    Sensors: h("ul", {}, machine.sensors.map(sensor)),
    Engine: `${backend.name}${Object.keys(backend.versions).length ? ": " : ""}${plain(backend.versions)}`,
    Model: [model.id, model.revision && ` at ${model.revision}`, ` · ${model.weights} weights`],
    Settings: plain(model.settings),
    Task: `${task.id}, version ${task.version}, ${task.dataset} data${task.dataset_revision ? ` at ${task.dataset_revision}` : ""}`,
    Parameters: plain(task.parameters),
    Fingerprint: task.fingerprint && h("code", {}, task.fingerprint),
    "Idle floor": detail.idle.map(([when, domain, watts]) => `${domain} ${when} ${watts === null ? "not read" : `${words.number(watts)} W`}`).join(" · "),
    Rules: `${detail.profile}: budget ${protocol.budget_seconds} s, target ±${words.number(100 * protocol.target_relative_half_width, 2)} %, ${protocol.min_trials} to ${protocol.max_trials} trials${detail.stop_reason ? `; ended by ${detail.stop_reason}` : ""}`,
    "Scale error": detail.calibration && `±${words.number(100 * detail.calibration.relative_half_width, 2)} % (${detail.calibration.source})`,
    Run: `${detail.run_id} on ${detail.created_at}, JouleBench ${detail.joulebench_version}`,
    "Submitted by": [detail.by.name, detail.by.note && ` · ${detail.by.note}`, detail.by.signer && ` · signed by ${detail.by.signer}`].filter(Boolean).join("") || null,
  });
}

const again = (detail) => h("pre", { tabindex: 0, "aria-label": "The command that repeats it" }, h("code", {}, detail.command));

function warnings(detail) {
  return detail.warnings.length
    ? h("ul", { class: "warnings" }, detail.warnings.map(([bars, message, remedy]) => h("li", {}, bars ? h("b", {}, "Bars ranking. ") : null, message, h("span", { class: "remedy" }, ` ${remedy}`))))
    : h("p", {}, "No warnings.");
}

async function show() {
  const name = state.name();
  const found = await jb.one(name);
  main.replaceChildren();
  $("meaning").hidden = !found?.row.energy;
  document.body.dataset.ready = "yes";
  if (!found) {
    document.title = "No such result · JouleBench";
    $("title").textContent = "No such result";
    main.append(h("p", {}, "This board has no result of this name. ", h("a", { href: "index.html" }, "All results")));
    return;
  }
  const { row, detail, task } = found;
  const region = document.querySelector("select[name=region]");
  const grid = regions.find(region.value);
  document.title = `${words.visible(row.model)}, ${row.task} · JouleBench`;
  $("title").replaceChildren(words.visible(row.model) || "(no name)", " ", ...badges(row));
  $("crumb").replaceChildren(h("a", { href: `task-${row.task}.html` }, row.task), ` · ${words.visible(row.boundary)} of ${words.visible(row.device)} · ${words.visible(row.dataset)} data · ${row.created}`);
  const about = [`${words.count(row.parameters)} parameters`, ...madeOf(row)].join(" · ");
  const chart = trialChart(row, detail.trials, detail.boundary.domains);
  const power = powerChart(detail.power);
  main.append(...[
    h("p", { class: "about" }, about),
    figures(row, task, grid), standing(row, task, detail),
    section("Warnings", warnings(detail)),
    section("Trials", chart, chart && h("p", { class: "about" }, "Each dot is a trial; the line is the ratio of sums, the band its 95 % interval. The interval allows for stopping early and for trials that follow each other."),
      h("details", {}, h("summary", {}, `All ${detail.trials.length} trials, with warm-up`), trialTable(row, detail))),
    section("Power over time", power || h("p", {}, "No profile trial was recorded."), power && h("p", { class: "about" }, "From a trial of its own, which does not count.")),
    section("How to repeat it", again(detail)),
    section("Environment", environment(detail)),
    h("p", {}, h("a", { href: `../submissions/${row.task}/${row.id}.json` }, "Raw record"), " · ", h("a", { href: `compare.html#${row.task}/${row.id}` }, "Compare with others")),
  ].filter(Boolean));
  mean([row]);
}

const choice = document.querySelector("select[name=region]");
regions.fill(choice, state.read().get("region") || "world");
choice.addEventListener("input", () => { state.write({ region: choice.value === "world" ? "" : choice.value }, state.name()); show(); });
window.addEventListener("hashchange", show);
show();

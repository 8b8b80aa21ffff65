"use strict";
// Two or more results side by side: the ratio of each to the first, and the properties that differ.

const main = $("board");
const MAX_RESULTS = 6;

// Energy of a divided by that of b with its 95 % interval, as `energy_ratio` in
// bench/results/calibration.py: variation between runs enters on each side, calibration enters
// twice unless one instrument measured both.
function ratio(a, b) {
  const same = a.details.instrument && a.details.instrument === b.details.instrument;
  const calibrations = Math.hypot(a.row.calibration ?? 0.05, b.row.calibration ?? 0.05);
  const half = ({ row }) => Math.hypot(logHalfWidth(row.energy), row.between_runs);
  const spread = Math.hypot(half(a), half(b), same ? 0 : (calibrations / Math.sqrt(3)) * format.NORMAL_95);
  const value = a.row.energy[0] / b.row.energy[0];
  return [value, value * Math.exp(-spread), value * Math.exp(spread)];
}

function ratioCell(result, first) {
  if (result === first) return "the first";
  if (!(result.row.energy?.[0] > 0 && first.row.energy?.[0] > 0)) return format.MISSING;
  if (result.row.kind !== first.row.kind) return "not comparable: measured and modelled";
  const ends = ratio(result, first);
  const tie = ends[1] <= 1 && ends[2] >= 1;
  const [value, low, high] = format.interval(ends);
  return [h("span", { class: "value" }, `${value} ×`), h("span", { class: "range" }, `${low}–${high}`),
    h("span", { class: tie ? "metric tie" : "metric" }, tie ? "= a tie: the interval contains 1" : ends[2] < 1 ? "takes less" : "takes more")];
}

function table(all, grid) {
  const first = all[0];
  const [unit, scale] = format.energyUnit(first.row.energy ? first.row.energy[0] : 1);
  const [timeUnit, timeScale] = format.timeUnit(first.row.duration ? first.row.duration[0] : 1);
  const lines = [
    ["Energy per 1,000", (x) => figure(format.nonnegative(x.row.energy, scale, modelError(x.row)), unit)],
    ["Energy against the first", (x) => ratioCell(x, first)],
    ["Net of idle per 1,000", (x) => figure(format.interval(x.row.net_energy, scale, modelError(x.row)), unit)],
    ["Energy per unit", (x) => [figure(format.nonnegative(x.row.energy_per_unit, 1, modelError(x.row)), "J"), h("span", { class: "metric" }, `per ${format.unitLabel(x.task.unit)}`)]],
    ["Quality, %", (x) => quality(x.row)],
    ["Time per inference", (x) => figure(format.nonnegative(x.row.duration, timeScale), timeUnit)],
    ["Phone charges per 1,000", (x) => (x.row.energy ? figure(format.rough(phoneCharges(x.row))) : format.MISSING)],
    [`g CO₂e per 1,000, ${grid.label}, ${grid.basis}`, (x) => (x.row.energy ? figure(format.rough(scaled(withCalibration(x.row), grid.grams))) : format.MISSING)],
    ["Rank", (x) => (x.row.rank === null ? "listed without rank" : [rankText(x.row), ` · grade ${x.row.grade} · `, starSymbols(x.row.stars)])],
  ];
  const properties = [
    ["Task", (x) => x.row.task], ["Work", (x) => (x.details.task.fingerprint || "no fingerprint").slice(0, 12)],
    ["Measured or modelled", (x) => x.row.kind], ["Boundary", (x) => x.row.boundary], ["Devices", (x) => x.row.device],
    ["Weights", (x) => x.row.weights], ["Parameters", (x) => format.count(x.row.parameter_count)], ["Run with", (x) => runLabelParts(x.row).join(" · ")],
    ["Profile", (x) => x.row.profile], ["Warnings", (x) => String(x.row.warning_count)],
  ];
  const differs = ([, value]) => new Set(all.map((x) => format.printable(value(x) ?? ""))).size > 1;
  const tableRow = (item, differing) => h("tr", { class: differing ? "differs" : null },
    h("th", { scope: "row" }, item[0], differing && h("span", { class: "badge quiet" }, "differs")), all.map((x) => h("td", { class: x.row.kind }, item[1](x))));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Comparison" }, h("table", { class: "side" },
    h("thead", {}, h("tr", {}, h("td", {}), all.map((x) => h("th", { scope: "col" }, h("a", { class: "name", href: resultUrl(x.row) }, x.row.model || "(no name)"), badges(x.row), all.length > 1 && h("button", { type: "button", class: "quiet", onclick: () => removeFromComparison(x) }, "remove", h("span", { class: "hidden-visually" }, ` ${x.row.model}`)))))),
    h("tbody", {}, lines.map((item) => tableRow(item, false))),
    h("tbody", {}, properties.map((item) => tableRow(item, differs(item))))));
}

const names = () => state.name().split(",").filter(Boolean).slice(0, MAX_RESULTS);

function setComparison(list) {
  location.hash = list.join(",");
}

const removeFromComparison = (x) => setComparison(names().filter((name) => name !== `${x.row.task}/${x.row.id}`));

// Other results of the same task as the first, as options.
function fillChoices(all) {
  const task = all[0]?.task || [...jb.tasks.values()].find((one) => one.count);
  const select = $("add");
  const compared = new Set(names());
  const rows = task ? [...task.rows.values()].filter((row) => !compared.has(`${task.id}/${row.id}`)).sort((a, b) => a.number - b.number).slice(0, 200) : [];
  select.replaceChildren(h("option", { value: "" }, "select a result"), ...rows.map((row) => h("option", { value: `${row.task}/${row.id}` }, `${row.model} · ${row.device} · ${runLabelParts(row).join(" · ")}`)));
  select.disabled = rows.length === 0 || compared.size >= MAX_RESULTS;
}

async function show() {
  const all = (await Promise.all(names().map((name) => jb.loadResult(name)))).filter(Boolean);
  const grid = regions.find(region.value);
  main.replaceChildren();
  if (all.length === 0) main.append(h("p", {}, "Select results to compare, here or on ", h("a", { href: "index.html" }, "the board"), "."));
  else {
    const fingerprints = new Set(all.map((x) => `${x.row.task} ${x.details.task.fingerprint}`));
    main.append(table(all, grid));
    if (fingerprints.size > 1) main.append(h("p", { class: "notice" }, "These results are not of the same work, so their ratio has little meaning."));
  }
  fillChoices(all);
  showEquivalents(all.map((x) => x.row));
  document.body.dataset.ready = "yes";
}

const region = document.querySelector("select[name=region]");
regions.fill(region, state.read().get("region") || "world");
region.addEventListener("input", () => { state.write({ region: region.value === "world" ? "" : region.value }, state.name()); show(); });
$("add").addEventListener("change", (event) => { if (event.target.value) setComparison([...names(), event.target.value]); });
window.addEventListener("hashchange", show);
show();

"use strict";
// Two results or more side by side, with the ratio of each to the first and what differs.

const main = $("board");
const MOST = 6;
const Z = 1.959964;

// Energy of a over that of b with its 95 % interval, as bench.stats.ratio works it out: the scale
// error enters twice unless one card read both.
function ratio(a, b) {
  const same = a.detail.instrument !== null && a.detail.instrument === b.detail.instrument;
  const gains = Math.hypot(a.row.calibration ?? 0.05, b.row.calibration ?? 0.05);
  const half = ({ row }) => (row.energy[2] - row.energy[1]) / 2 / row.energy[0];
  const spread = Math.hypot(half(a), half(b), same ? 0 : (gains / Math.sqrt(3)) * Z);
  const value = a.row.energy[0] / b.row.energy[0];
  return [value, value * Math.exp(-spread), value * Math.exp(spread)];
}

function versus(found, first) {
  if (found === first) return "the first";
  if (!(found.row.energy?.[0] > 0 && first.row.energy?.[0] > 0)) return words.MISSING;
  if (found.row.kind !== first.row.kind) return "not comparable: measured and modelled";
  const ends = ratio(found, first);
  const tie = ends[1] <= 1 && ends[2] >= 1;
  const [value, low, high] = words.span(ends);
  return [h("span", { class: "value" }, `${value} ×`), h("span", { class: "range" }, `${low}–${high}`),
    h("span", { class: tie ? "metric tie" : "metric" }, tie ? "= a tie: the interval holds 1" : ends[2] < 1 ? "takes less" : "takes more")];
}

function table(all, grid) {
  const first = all[0];
  const [unit, scale] = words.energyUnit(first.row.energy ? first.row.energy[0] : 1);
  const [timeUnit, timeScale] = words.timeUnit(first.row.seconds ? first.row.seconds[0] : 1);
  const lines = [
    ["Energy per 1,000", (x) => figure(words.gross(x.row.energy, scale, error(x.row)), unit)],
    ["Energy against the first", (x) => versus(x, first)],
    ["Net of idle per 1,000", (x) => figure(words.span(x.row.net, scale, error(x.row)), unit)],
    ["Energy per unit", (x) => [figure(words.gross(x.row.joules, 1, error(x.row)), "J"), h("span", { class: "metric" }, `per ${words.unit(x.task.unit)}`)]],
    ["Quality, %", (x) => quality(x.row)],
    ["Time per inference", (x) => figure(words.gross(x.row.seconds, timeScale), timeUnit)],
    ["Phone charges per 1,000", (x) => (x.row.energy ? figure(words.rough(charges(x.row))) : words.MISSING)],
    [`g CO₂e per 1,000, ${grid.label}`, (x) => (x.row.energy ? figure(words.rough(times(whole(x.row), grid.grams))) : words.MISSING)],
    ["Rank", (x) => (x.row.rank === null ? "listed without rank" : [rank(x.row), ` · grade ${x.row.grade} · `, starsText(x.row.stars)])],
  ];
  const same = [
    ["Task", (x) => x.row.task], ["Work", (x) => (x.detail.task.fingerprint || "no fingerprint").slice(0, 12)],
    ["Measured or modelled", (x) => x.row.kind], ["Boundary", (x) => x.row.boundary], ["Devices", (x) => x.row.device],
    ["Weights", (x) => x.row.weights], ["Parameters", (x) => words.count(x.row.parameters)], ["Run with", (x) => madeOf(x.row).join(" · ")],
    ["Profile", (x) => x.row.profile], ["Warnings", (x) => String(x.row.warnings)],
  ];
  const differs = ([, give]) => new Set(all.map((x) => words.visible(give(x) ?? ""))).size > 1;
  const line = (item, marked) => h("tr", { class: marked ? "differs" : null },
    h("th", { scope: "row" }, item[0], marked && h("span", { class: "badge quiet" }, "differs")), all.map((x) => h("td", { class: x.row.kind }, item[1](x))));
  return h("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Comparison" }, h("table", { class: "side" },
    h("thead", {}, h("tr", {}, h("td", {}), all.map((x) => h("th", { scope: "col" }, h("a", { class: "name", href: address(x.row) }, x.row.model || "(no name)"), badges(x.row), all.length > 1 && h("button", { type: "button", class: "quiet", onclick: () => drop(x) }, "remove", h("span", { class: "hidden-visually" }, ` ${x.row.model}`)))))),
    h("tbody", {}, lines.map((item) => line(item, false))),
    h("tbody", {}, same.map((item) => line(item, differs(item))))));
}

const names = () => state.name().split(",").filter(Boolean).slice(0, MOST);

function go(list) {
  location.hash = list.join(",");
}

const drop = (x) => go(names().filter((name) => name !== `${x.row.task}/${x.row.id}`));

// More results of the task of the first, to choose from.
function offer(all) {
  const task = all[0]?.task || [...jb.tasks.values()].find((one) => one.count);
  const select = $("add");
  const there = new Set(names());
  const rows = task ? [...task.rows.values()].filter((row) => !there.has(`${task.id}/${row.id}`)).sort((a, b) => a.n - b.n).slice(0, 200) : [];
  select.replaceChildren(h("option", { value: "" }, "choose a result"), ...rows.map((row) => h("option", { value: `${row.task}/${row.id}` }, `${row.model} · ${row.device} · ${madeOf(row).join(" · ")}`)));
  select.disabled = rows.length === 0 || there.size >= MOST;
}

async function show() {
  const all = (await Promise.all(names().map((name) => jb.one(name)))).filter(Boolean);
  const grid = regions.find(region.value);
  main.replaceChildren();
  if (all.length === 0) main.append(h("p", {}, "Choose results to compare, here or on ", h("a", { href: "index.html" }, "the board"), "."));
  else {
    const works = new Set(all.map((x) => `${x.row.task} ${x.detail.task.fingerprint}`));
    main.append(table(all, grid));
    if (works.size > 1) main.append(h("p", { class: "off" }, "These did not do the same work: the ratio says little."));
  }
  offer(all);
  mean(all.map((x) => x.row));
  document.body.dataset.ready = "yes";
}

const region = document.querySelector("select[name=region]");
regions.fill(region, state.read().get("region") || "world");
region.addEventListener("input", () => { state.write({ region: region.value === "world" ? "" : region.value }, state.name()); show(); });
$("add").addEventListener("change", (event) => { if (event.target.value) go([...names(), event.target.value]); });
window.addEventListener("hashchange", show);
show();

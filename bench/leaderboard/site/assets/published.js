"use strict";
// What others published about a task, in a section of its own: never ranked with ours.

const others = $("published");

function otherRow([study, model, kwh, gpu, count, batch, steps, tokens, workload, stars]) {
  const about = jb.shared.studies[study];
  const [unit, scale] = words.energyUnit(kwh);
  const how = [gpu && `${count && count > 1 ? `${count} × ` : ""}${gpu}`, `batch ${batch}`, steps && `${steps} steps`, tokens && `${tokens} tokens`, workload].filter(Boolean);
  return h("tr", {}, h("th", { scope: "row" }, h("span", { class: "name" }, model), h("span", { class: "made" }, how.join(" · "))),
    h("td", { class: "num" }, `${words.number(kwh / scale)} ${unit}`), h("td", {}, about.title),
    h("td", { class: "num" }, stars ? [h("span", { class: "stars", role: "img", "aria-label": `${stars} of 5 stars, as published` }, starsText(stars))] : words.MISSING));
}

async function showOthers() {
  const rows = await jb.others(document.body.dataset.task);
  const wanted = others.querySelector("input").value.trim().toLowerCase();
  const fitting = rows.filter((row) => row[1].toLowerCase().includes(wanted));
  const body = others.querySelector("tbody");
  const shown = fitting.slice(0, 500);
  body.replaceChildren(...shown.map(otherRow));
  others.querySelector("output").value = words.plural(fitting.length, "figure");
}

if (others) {
  others.addEventListener("toggle", () => { if (others.open) showOthers(); });
  others.querySelector("input").addEventListener("input", showOthers);
}

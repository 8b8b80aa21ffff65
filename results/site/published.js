"use strict";
// Figures that others published about a task, in a separate section: they are not ranked.

const section = $("published");

function publishedRow([study, model, kwh, gpu, count, batch, steps, tokens, workload, stars]) {
  const about = jb.shared.studies[study];
  const [unit, scale] = format.energyUnit(kwh);
  const settings = [gpu && `${count && count > 1 ? `${count} × ` : ""}${gpu}`, `batch ${batch}`, steps && `${steps} steps`, tokens && `${tokens} tokens`, workload].filter(Boolean);
  return h("tr", {}, h("th", { scope: "row" }, h("span", { class: "name" }, model), h("span", { class: "run-label" }, settings.join(" · "))),
    h("td", { class: "num" }, `${format.number(kwh / scale)} ${unit}`), h("td", {}, about.title),
    h("td", { class: "num" }, stars ? [h("span", { class: "stars", role: "img", "aria-label": `${stars} of 5 stars, as published` }, starSymbols(stars))] : format.MISSING));
}

async function showPublished() {
  const rows = await jb.publishedFigures(document.body.dataset.task);
  const search = section.querySelector("input").value.trim().toLowerCase();
  const matching = rows.filter((row) => row[1].toLowerCase().includes(search));
  const body = section.querySelector("tbody");
  const shown = matching.slice(0, 500);
  body.replaceChildren(...shown.map(publishedRow));
  section.querySelector("output").value = format.plural(matching.length, "figure");
}

if (section) {
  section.addEventListener("toggle", () => { if (section.open) showPublished(); });
  section.querySelector("input").addEventListener("input", showPublished);
}

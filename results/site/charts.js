"use strict";
// Two charts of one run: the energy of each trial, and power over time. Each has a text label with its numbers.

const [WIDE, HIGH, LEFT, BELOW] = [720, 220, 64, 32];

// About four round tick values between two ends.
function ticks(low, high) {
  const raw = (high - low) / 4 || 1;
  const size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((n) => n * size).find((n) => n >= raw);
  const values = [];
  for (let mark = Math.ceil(low / step) * step; mark <= high + step * 1e-6; mark += step) values.push(mark);
  return values;
}

function frame(title, xs, ys, xLabel, yLabel) {
  const x = (value) => LEFT + ((value - xs[0]) / (xs[1] - xs[0] || 1)) * (WIDE - LEFT - 16);
  const y = (value) => HIGH - BELOW - ((value - ys[0]) / (ys[1] - ys[0] || 1)) * (HIGH - BELOW - 14);
  const chart = svg("svg", { class: "chart", viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": title },
    ticks(...ys).map((mark) => [
      svg("line", { class: "tick", x1: LEFT, x2: WIDE - 16, y1: y(mark), y2: y(mark) }),
      svg("text", { x: LEFT - 8, y: y(mark) + 4, "text-anchor": "end" }, format.number(mark, 3)),
    ]),
    svg("text", { x: LEFT, y: 10, "text-anchor": "start" }, yLabel),
    svg("text", { x: WIDE - 16, y: HIGH - 6, "text-anchor": "end" }, xLabel));
  return { chart, x, y };
}

// Energy per 1,000 of every trial, in front of the interval of the run.
function trialChart(row, trials, domains) {
  const joules = (trial) => {
    const values = trial[4].filter(([domain]) => domains.includes(domain)).map(([, value]) => value);
    return values.length < domains.length || values.includes(null) ? null : values.reduce((a, b) => a + b, 0);
  };
  const measured = trials.filter(([phase]) => phase === "measured");
  const energies = measured.map((trial) => { const j = joules(trial); return j === null || !trial[2] ? null : j / trial[2] / 3600; });
  const known = energies.filter((value) => value !== null);
  if (!row.energy || !known.length) return null;
  const [unit, scale] = format.energyUnit(row.energy[0]);
  const [value, low, high] = row.energy.map((end) => end / scale);
  const values = energies.map((energy) => (energy === null ? null : energy / scale));
  const ends = [Math.min(low, ...values.filter((v) => v !== null)), Math.max(high, ...values.filter((v) => v !== null))];
  const margin = (ends[1] - ends[0]) * 0.1 || value * 0.01;
  const title = `Energy per 1,000 of ${measured.length} trials, between ${format.number(Math.min(...known) / scale)} and ${format.number(Math.max(...known) / scale)} ${unit}`;
  const { chart, x, y } = frame(title, [0.5, measured.length + 0.5], [Math.max(0, ends[0] - margin), ends[1] + margin], "trial", `${unit} per 1,000`);
  chart.append(
    svg("rect", { class: "band", x: x(0.5), width: x(measured.length + 0.5) - x(0.5), y: y(high), height: y(Math.max(low, 0)) - y(high) }),
    svg("line", { class: "mean", x1: x(0.5), x2: x(measured.length + 0.5), y1: y(value), y2: y(value) }));
  for (const mark of ticks(1, measured.length)) if (Number.isInteger(mark)) chart.append(svg("text", { x: x(mark), y: HIGH - 18, "text-anchor": "middle" }, String(mark)));
  values.forEach((energy, number) => { if (energy !== null) chart.append(svg("circle", { class: "dot", cx: x(number + 1), cy: y(energy), r: 4 }, svg("title", {}, `trial ${number + 1}: ${format.number(energy, 4)} ${unit} per 1,000`))); });
  return chart;
}

function powerChart(traces) {
  const known = traces.filter(([, seconds]) => seconds.length > 1);
  if (!known.length) return null;
  const longest = Math.max(...known.map(([, seconds]) => seconds[seconds.length - 1]));
  const most = Math.max(...known.flatMap(([, , watts]) => watts));
  const title = known.map(([domain, , watts]) => `${domain}: ${format.number(Math.min(...watts))} to ${format.number(Math.max(...watts))} W`).join("; ");
  const { chart, x, y } = frame(`Power over time. ${title}`, [0, longest], [0, most * 1.05], "seconds", "W");
  for (const mark of ticks(0, longest)) chart.append(svg("text", { x: x(mark), y: HIGH - 18, "text-anchor": "middle" }, format.number(mark, 2)));
  known.forEach(([domain, seconds, watts], number) => {
    const points = seconds.map((second, i) => `${x(second).toFixed(1)},${y(watts[i]).toFixed(1)}`).join(" ");
    chart.append(svg("polyline", { class: `power power-${number % 4}`, points }),
      svg("text", { class: `power-${number % 4}`, x: WIDE - 16, y: 10 + 14 * number, "text-anchor": "end" }, domain));
  });
  return chart;
}

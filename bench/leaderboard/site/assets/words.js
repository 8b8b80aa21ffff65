"use strict";
// Figures as people read them: the same rules as bench/results/formatting.py, which a test compares.

const words = (() => {
  const MISSING = "—";
  const ENERGY = [["kWh", 1], ["Wh", 1e-3], ["mWh", 1e-6], ["µWh", 1e-9]];
  const TIME = [["s", 1], ["ms", 1e-3], ["µs", 1e-6]];
  const UNITS = { "audio-second": "second of audio", "video-second": "second of video" };
  const THINGS = { image: "images", token: "generations", "video-second": "videos" };

  const exponent = (value) => (value ? Math.floor(Math.log10(Math.abs(value))) : 0);
  const roundTo = (value, digits) => (value ? Number(value.toPrecision(digits)) : 0);

  function fixed(value, decimals) {
    const size = 10 ** -decimals;
    const text = decimals > 0 ? value.toFixed(decimals) : String(Math.round(value / size) * size);
    const [whole, part] = text.split(".");
    const spaced = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return part ? `${spaced}.${part}` : spaced;
  }

  function number(value, digits = 3) {
    if (!Number.isFinite(value)) return MISSING;
    if (value === 0) return "0";
    if (Math.abs(value) < 1e-6 || Math.abs(value) >= 1e9) {
      return value.toExponential(digits - 1).replace(/e([+-])(\d)$/, "e$10$2");
    }
    return fixed(value, digits - 1 - exponent(roundTo(value, digits)));
  }

  function decimals([value, low, high], scale = 1) {
    const size = Math.abs(value / scale);
    const half = (high - low) / 2 / scale;
    const most = size > 0 ? 3 - exponent(size) : 0;
    if (half <= 0) return most - 1;
    const least = size > 0 ? Math.min(0, 2 - exponent(size)) : 0;
    return Math.max(Math.min(1 - exponent(half), most), least);
  }

  function few(value, half) {
    const places = 1 - exponent(roundTo(value, 2));
    return half > 0 ? Math.max(places, Math.min(-exponent(half), 3 - exponent(value))) : places;
  }

  function fromZero(value, low, high, places) {
    const lowest = Number(fixed(low, places).replaceAll(",", "")) > 0 ? fixed(low, places) : "0";
    return [value ? fixed(value, places) : "0", lowest, fixed(high, places)];
  }

  // [value, low, high] of a figure that may be below zero, such as a net energy.
  function span(found, scale = 1, error = null) {
    if (!found) return [MISSING, MISSING, MISSING];
    if (error !== null) {
      const half = Math.hypot((found[2] - found[1]) / 2, error * found[0]) / scale;
      return found.map((end) => fixed(end / scale, few(found[0] / scale, half)));
    }
    const places = decimals(found, scale);
    return found.map((end) => fixed(end / scale, places));
  }

  // As span, of what can't be below zero; with a relative scale error no more digits than it leaves.
  function gross(found, scale = 1, error = null) {
    if (!found) return [MISSING, MISSING, MISSING];
    const [value, low, high] = found.map((end) => end / scale);
    if (error === null) return fromZero(value, low, high, decimals(found, scale));
    return fromZero(value, low, high, few(value, Math.hypot((high - low) / 2, error * value)));
  }

  function rough([value, low, high]) {
    if (value && (Math.abs(value) < 1e-6 || Math.abs(value) >= 1e9)) {
      return [number(value, 2), number(Math.max(0, low), 2), number(high, 2)];
    }
    return fromZero(value, low, high, few(value, (high - low) / 2));
  }

  function percent(share) {
    const text = (100 * share).toFixed(1);
    return share === 0 || share === 1 ? text.replace(/\.0$/, "") : text;
  }

  function fitting(value, units) {
    const found = units.find(([, size]) => Math.abs(value) >= size);
    return found || (value ? units[units.length - 1] : units[0]);
  }

  function count(value) {
    if (value === null || value === undefined) return MISSING;
    for (const [name, size] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["k", 1e3]]) {
      if (value >= 0.9995 * size) return `${number(value / size).replace(/\.0+$/, "")} ${name}`;
    }
    return String(value);
  }

  // A stranger's text on one line, without characters that hide or turn what stands beside.
  const visible = (text) => String(text).replace(/\s/gu, " ").replace(/\p{C}/gu, "�");
  const energyUnit = (kwh) => fitting(kwh, ENERGY);
  const timeUnit = (seconds) => fitting(seconds, TIME);
  const unit = (name) => UNITS[name] || name;
  const things = (name) => THINGS[name] || "inferences";
  const plural = (many, one) => `${many.toLocaleString("en-US")} ${one}${many === 1 ? "" : "s"}`;

  return {
    MISSING, fixed, number, span, gross, rough, percent, count, visible, energyUnit, timeUnit, unit,
    things, plural,
  };
})();

"use strict";
// Formatting of figures. A test compares it with bench/results/formatting.py.

const format = (() => {
  const NORMAL_95 = 1.959964;
  const MISSING = "—";
  const ENERGY = [["kWh", 1], ["Wh", 1e-3], ["mWh", 1e-6], ["µWh", 1e-9]];
  const TIME = [["s", 1], ["ms", 1e-3], ["µs", 1e-6]];
  const UNITS = { "audio-second": "second of audio", "video-second": "second of video" };

  const exponent = (value) => (value ? Math.floor(Math.log10(Math.abs(value))) : 0);
  const roundTo = (value, digits) => (value ? Number(value.toPrecision(digits)) : 0);

  function fixed(value, decimals) {
    const size = 10 ** -decimals;
    const text = decimals > 0 ? value.toFixed(decimals) : String(Math.round(value / size) * size);
    const [integer, fraction] = text.split(".");
    const grouped = integer.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
    return fraction ? `${grouped}.${fraction}` : grouped;
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

  function roughDecimals(value, half) {
    const places = 1 - exponent(roundTo(value, 2));
    return half > 0 ? Math.max(places, Math.min(-exponent(half), 3 - exponent(value))) : places;
  }

  function clippedAtZero(value, low, high, places) {
    const lowest = Number(fixed(low, places).replaceAll(",", "")) > 0 ? fixed(low, places) : "0";
    return [value ? fixed(value, places) : "0", lowest, fixed(high, places)];
  }

  // [value, low, high] with a relative calibration uncertainty, as `with_calibration` in
  // bench/results/calibration.py.
  function calibrated([value, low, high], error) {
    const limit = Math.min(error, 0.99);
    const factor = NORMAL_95 / Math.sqrt(3);
    if (low <= 0) {
      const half = factor * limit * Math.abs(value);
      return [value, value - Math.hypot(value - low, half), value + Math.hypot(high - value, half)];
    }
    const widened = (half, more) => Math.min(Math.hypot(half, factor * more), half + more);
    const down = widened(Math.log(value / low), -Math.log1p(-limit));
    const up = widened(Math.log(high / value), Math.log1p(limit));
    return [value, value * Math.exp(-down), value * Math.exp(up)];
  }

  // [value, low, high] of a figure that may be below zero, such as a net energy.
  function interval(figure, scale = 1, error = null) {
    if (!figure) return [MISSING, MISSING, MISSING];
    if (error !== null) {
      const [, least, most] = calibrated(figure, error);
      const half = (most - least) / 2 / scale;
      return figure.map((end) => fixed(end / scale, roughDecimals(figure[0] / scale, half)));
    }
    const places = decimals(figure, scale);
    return figure.map((end) => fixed(end / scale, places));
  }

  // As interval, of a figure that cannot be below zero. A relative error limits the digits.
  function nonnegative(figure, scale = 1, error = null) {
    if (!figure) return [MISSING, MISSING, MISSING];
    const [value, low, high] = figure.map((end) => end / scale);
    if (error === null) return clippedAtZero(value, low, high, decimals(figure, scale));
    const [, least, most] = calibrated([value, low, high], error);
    return clippedAtZero(value, low, high, roughDecimals(value, (most - least) / 2));
  }

  function rough([value, low, high]) {
    if (value && (Math.abs(value) < 1e-6 || Math.abs(value) >= 1e9)) {
      return [number(value, 2), number(Math.max(0, low), 2), number(high, 2)];
    }
    return clippedAtZero(value, low, high, roughDecimals(value, (high - low) / 2));
  }

  function percent(share) {
    const text = (100 * share).toFixed(1);
    return share === 0 || share === 1 ? text.replace(/\.0$/, "") : text;
  }

  function fittingUnit(value, units) {
    const unit = units.find(([, size]) => Math.abs(value) >= size);
    return unit || (value ? units[units.length - 1] : units[0]);
  }

  function count(value) {
    if (value === null || value === undefined) return MISSING;
    for (const [name, size] of [["T", 1e12], ["B", 1e9], ["M", 1e6], ["k", 1e3]]) {
      if (value >= 0.9995 * size) return `${number(value / size).replace(/\.0+$/, "")} ${name}`;
    }
    return String(value);
  }

  // Submitted text on one line, without control and bidirectional characters.
  const printable = (text) => String(text).replace(/\s/gu, " ").replace(/\p{C}/gu, "�");
  const energyUnit = (kwh) => fittingUnit(kwh, ENERGY);
  const timeUnit = (seconds) => fittingUnit(seconds, TIME);
  const unitLabel = (name) => UNITS[name] || name;
  const plural = (many, one) => `${many.toLocaleString("en-US")} ${one}${many === 1 ? "" : "s"}`;

  return {
    MISSING, fixed, number, interval, nonnegative, rough, percent, count, printable, energyUnit, timeUnit,
    unitLabel, plural, calibrated, NORMAL_95,
  };
})();

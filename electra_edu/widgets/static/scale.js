// Numbers: how they travel, how they are written, and how an axis maps them to pixels.

/** Return blocks with their long lists as arrays: they travel as float32 bytes, NaN for a gap. */
function unpack(value) {
  if (ArrayBuffer.isView(value)) {
    return new Float32Array(value.buffer.slice(value.byteOffset, value.byteOffset + value.byteLength));
  }
  if (Array.isArray(value)) return value.map(unpack);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, unpack(each)]));
}

/** Write a number with a fixed number of decimals, or with a power of ten where that would be long. */
function formatNumber(value, places) {
  if (value === 0 || (places <= 6 && Math.abs(value) < 1e7)) {
    const digits = { minimumFractionDigits: places, maximumFractionDigits: places };
    return value.toLocaleString("en-US", digits).replace("-", "−");
  }
  return value.toExponential(2).replace("e+", "e").replaceAll("-", "−");
}

/** Write a value as finely as its axis, which covers `range`, can be read: 0.52 on 0 to 1, 12,345 on 0 to 20,000. */
function formatValue(value, [low, high]) {
  const span = high - low;
  return formatNumber(value, span >= 200 ? 0 : span >= 20 ? 1 : Math.max(2, 1 - Math.floor(Math.log10(span / 3))));
}

/** Write a place on an axis: a whole number as it is, anything else like a value. */
function formatPlace(x, range) {
  return Number.isInteger(x) ? x.toLocaleString("en-US") : formatValue(x, range);
}

/** Return 1, 2 or 5 times a power of ten, so that about `count` such steps cover the span. */
function niceStep(span, count) {
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const part = rough / power;
  return power * (part < Math.SQRT2 ? 1 : part < Math.sqrt(10) ? 2 : part < Math.sqrt(50) ? 5 : 10);
}

/** Return the round values between two limits, each with the text that tells it from its neighbours. */
function niceTicks([low, high], count, whole = false) {
  let step = niceStep(high - low, count);
  if (whole) step = Math.max(1, step);
  const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-6); k * step <= high + step * 1e-6; k += 1) {
    const value = Number((k * step).toFixed(Math.min(20, places)));
    ticks.push({ value, text: formatNumber(value, places) });
  }
  return ticks;
}

/** Return the next round number, in steps of at most a third, so that a growing axis moves seldom. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((factor) => factor * power >= value * (1 - 1e-9));
}

/** Return round values between two positive limits: powers of ten, and 1, 2, 5 or all between where there is room. */
function logTicks([low, high], count) {
  let best = [];
  for (const digits of [[1], [1, 3], [1, 2, 5], [1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const values = [];
    for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power += 1) {
      for (const digit of digits) {
        const value = Number((digit * 10 ** power).toPrecision(6));
        if (value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9)) values.push(value);
      }
    }
    if (best.length && values.length > count) break;
    best = values;
  }
  const thin = Math.ceil(best.length / Math.max(1, count));
  return best.filter((_, i) => i % thin === 0).map((value) => ({ value, text: shortNumber(value) }));
}

/** Write a number with up to three digits: 0.05, 20, 1,000, 2e7. */
function shortNumber(value) {
  if (value !== 0 && (Math.abs(value) < 1e-4 || Math.abs(value) >= 1e7)) return formatNumber(value, 9);
  return value.toLocaleString("en-US", { maximumSignificantDigits: 3 }).replace("-", "−");
}

/** An axis of `pixels` from `range[0]` to `range[1]`, linear or logarithmic. */
class Axis {
  constructor(range, pixels, kind = "linear") {
    const map = kind === "log" ? Math.log : Number;
    const [low, high] = range.map(map);
    Object.assign(this, { range, kind, pixels });
    this.at = (value) => ((map(value) - low) / (high - low)) * pixels;
    this.value = (pixel) => {
      const value = low + (pixel / pixels) * (high - low);
      return kind === "log" ? Math.exp(value) : value;
    };
  }

  ticks(count, whole = false) {
    return this.kind === "log" ? logTicks(this.range, count) : niceTicks(this.range, count, whole);
  }
}

/** Return the lowest and the highest of the numbers that an axis can show; null where there is none. */
function extent(lists, kind = "linear") {
  let low = Infinity;
  let high = -Infinity;
  for (const values of lists) {
    for (const value of values) { // NaN fails both comparisons
      if (kind === "log" && value <= 0) continue;
      if (value !== null && value < low) low = value;
      if (value !== null && value > high) high = value;
    }
  }
  return low > high ? null : [low, high];
}

/** Return the point of a curve nearest to x, or null for an empty curve. */
function nearestPoint(curve, x) {
  if (!curve.x.length) return null;
  let low = 0;
  let high = curve.x.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (curve.x[middle] <= x) low = middle;
    else high = middle;
  }
  const index = Math.abs(curve.x[high] - x) < Math.abs(curve.x[low] - x) ? high : low;
  return { x: curve.x[index], y: curve.y[index] };
}

/** Return the last point that has a value, or null. */
function lastPoint(curve) {
  for (let i = curve.y.length - 1; i >= 0; i -= 1) {
    if (!Number.isNaN(curve.y[i])) return { x: curve.x[i], y: curve.y[i] };
  }
  return null;
}

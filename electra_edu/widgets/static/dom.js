// Part 1 of the live view: elements, numbers, scales. live_view.py joins the live_*.js files into one module.

const SVG = "http://www.w3.org/2000/svg";

/** Append an HTML element; text from data only ever arrives as textContent. */
function html(tag, className, parent, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  parent.append(node);
  return node;
}

/** Write text only where it changed: an untouched node keeps its tooltip and is not read aloud again. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A group of SVG elements, each known by a key and kept from frame to frame, so that nothing flickers. */
class Layer {
  constructor(parent, tag = "g") {
    this.node = document.createElementNS(SVG, tag);
    this.known = new Map();
    this.used = new Set();
    parent.append(this.node);
  }

  /** Create or reuse the element of this key, and write only the attributes that changed. */
  use(key, tag, attributes, text) {
    if (!this.known.has(key)) {
      const node = document.createElementNS(SVG, tag);
      this.node.append(node);
      this.known.set(key, { node, written: {} });
    }
    const { node, written } = this.known.get(key);
    for (const [name, value] of Object.entries(attributes)) {
      if (written[name] !== value) node.setAttribute(name, (written[name] = value));
    }
    if (text !== undefined && written.text !== text) node.textContent = written.text = text;
    this.used.add(key);
    return node;
  }

  /** Remove the elements that were not used since the last sweep. */
  sweep() {
    for (const [key, { node }] of this.known) {
      if (!this.used.has(key)) {
        node.remove();
        this.known.delete(key);
      }
    }
    this.used.clear();
  }
}

/** Return a function (text, weight) → width in pixels at 12 px, without asking the page for a layout. */
function textRuler(fontFamily) {
  const pen = document.createElement("canvas").getContext("2d");
  const known = new Map();
  return (text, weight = 400) => {
    const shape = weight + text.replace(/\d/g, "0"); // figures are equally wide: no jitter as values change
    if (!known.has(shape)) {
      pen.font = `${weight} 12px ${fontFamily}`;
      known.set(shape, pen.measureText(text).width);
    }
    return known.get(shape);
  };
}

/** Shorten text to a width, with an ellipsis. */
function fitText(text, width, ruler, weight) {
  if (ruler(text, weight) <= width) return text;
  let end = text.length - 1;
  while (end > 1 && ruler(text.slice(0, end) + "…", weight) > width) end -= 1;
  return text.slice(0, end).trimEnd() + "…";
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

/** Return a curve {x, y} from the float32 bytes in which it travels: all x, then all y, NaN for a gap. */
function unpackCurve({ points, ...rest }) {
  const values = new Float32Array(points.buffer.slice(points.byteOffset, points.byteOffset + points.byteLength));
  return { ...rest, x: values.subarray(0, values.length / 2), y: values.subarray(values.length / 2) };
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

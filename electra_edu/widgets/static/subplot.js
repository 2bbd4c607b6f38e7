// Part 2 of the live view: one pair of axes.

const LINE_HEIGHT = 14; // least distance between two labels, in pixels
const LABEL_GAP = 9; // from the end of a line to its label
const LEAST_DOT_ROOM = 9; // px for each dot of a measurement; closer ones would merge into a band
const BLEED = 4; // thick lines at the edge of the range are drawn whole

/** Return the floor as a curve, whether it came as one number or as a series. */
function floorCurve(floor, [start, end]) {
  return floor.x ? floor : { x: [start, end], y: [floor.y, floor.y] };
}

/** Return the range of a strip's values: the given one, or the data's with a little air; null without data. */
function valueRange(strip) {
  if (strip.y_range) return strip.y_range;
  const curves = [...strip.series, ...strip.kept];
  if (strip.floor) curves.push(floorCurve(strip.floor, [0, 0]));
  let low = Infinity;
  let high = -Infinity;
  for (const { y } of curves) {
    for (const value of y) { // NaN fails both comparisons
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return null;
  const air = high > low ? 0.06 * (high - low) : 0.1 * Math.abs(high) || 1;
  const grain = niceStep(high - low + 2 * air, 10); // a range of whole grains moves seldom
  const bottom = Math.floor((low - air) / grain) * grain;
  return [low >= 0 ? Math.max(0, bottom) : bottom, Math.ceil((high + air) / grain) * grain];
}

/** Return the path of a curve; a missing value lifts the pen, a lone point becomes a dot. */
function curvePath(curve, toX, toY) {
  let path = "";
  let length = 0; // points since the pen was last lifted
  for (let i = 0; i < curve.x.length; i += 1) {
    if (Number.isNaN(curve.y[i])) {
      if (length === 1) path += "h0";
      length = 0;
    } else {
      path += `${length ? "L" : "M"}${toX(curve.x[i]).toFixed(1)} ${toY(curve.y[i]).toFixed(1)}`;
      length += 1;
    }
  }
  return length === 1 ? path + "h0" : path;
}

/** Return a path of zero-length lines: round caps make a dot of each measurement. */
function dotsPath(curve, toX, toY) {
  const x = Array.from(curve.x, (value) => [value, value]).flat();
  const y = Array.from(curve.y, (value) => [value, NaN]).flat();
  return curvePath({ x, y }, toX, toY);
}

/** Move labels apart: sorted by height, at least one line from each other, all between top and bottom. */
function spreadLabels(labels, top, bottom) {
  labels.sort((a, b) => a.y - b.y);
  let free = top;
  for (const label of labels) {
    label.labelY = Math.max(label.y, free);
    free = label.labelY + LINE_HEIGHT;
  }
  let limit = bottom;
  for (const label of labels.toReversed()) {
    label.labelY = Math.min(label.labelY, limit);
    limit = label.labelY - LINE_HEIGHT;
  }
}

class Strip {
  constructor(parent, ruler) {
    this.ruler = ruler;
    this.node = new Layer(parent).node;
    this.back = new Layer(this.node);
    this.plot = new Layer(this.node, "svg"); // an inner svg clips what leaves the range
    this.kept = new Layer(this.plot.node);
    this.curves = new Layer(this.plot.node);
    this.front = new Layer(this.node);
    this.floorSide = null;
  }

  /** Work out range, ticks and end labels of a strip that is `height` pixels high; an empty frame has no ticks. */
  plan(strip, height, empty) {
    const tickCount = Math.max(3, Math.round(height / 34));
    const range = valueRange(strip);
    const labels = strip.series.flatMap((series, key) => {
      const end = series.style === "raw" ? null : lastPoint(series);
      if (!end) return [];
      const name = series.name === strip.label ? "" : series.name;
      return [{ key, end, role: series.role, name, value: formatValue(end.y, range) }];
    });
    const ticks = range && !empty ? niceTicks(range, tickCount) : [];
    return { strip, range, ticks, labels, tickWidth: Math.max(0, ...ticks.map((tick) => this.ruler(tick.text))) };
  }

  /** Draw a plan into an area of the chart ({left, top, width, height}), x running over `xRange`. */
  draw({ strip, range, ticks, labels }, area, xRange, xTicks, dashOf) {
    const { left, top, width, height } = area;
    const [low, high] = range ?? [0, 1];
    this.toX = (x) => ((x - xRange[0]) / (xRange[1] - xRange[0])) * width;
    this.toY = (y) => (1 - (y - low) / (high - low)) * height;
    this.area = area;
    this.strip = strip;
    this.range = [low, high];
    this.drawAxes(ticks, xTicks);
    this.plot.node.setAttribute("x", left - BLEED);
    this.plot.node.setAttribute("y", top - BLEED);
    this.plot.node.setAttribute("width", width + 2 * BLEED);
    this.plot.node.setAttribute("height", height + 2 * BLEED);
    this.drawCurves(xRange, dashOf);
    if (strip.floor && range && ticks.length) this.drawFloorLabel(xRange);
    this.drawEnds(labels);
    for (const layer of [this.back, this.kept, this.curves, this.front]) layer.sweep();
  }

  drawAxes(ticks, xTicks) {
    const { left, top, width, height } = this.area;
    const { label, unit, role } = this.strip;
    this.header = unit ? `${label} (${unit})` : label;
    this.back.use("header", "text", { class: `edu-header edu-${role}`, x: left, y: top - 7 }, this.header);
    for (const { value, text } of ticks) {
      const y = top + this.toY(value);
      this.back.use(`line ${text}`, "path", { class: "edu-grid", d: `M${left} ${y.toFixed(1)}h${width}` });
      this.back.use(`tick ${text}`, "text", { class: "edu-tick edu-end", x: left - 6, y: (y + 4).toFixed(1) }, text);
    }
    for (const { value, text } of xTicks) {
      const x = (left + this.toX(value)).toFixed(1);
      this.back.use(`rule ${text}`, "path", { class: "edu-grid", d: `M${x} ${top}v${height}` });
    }
    const bottom = top + height + 0.5;
    const start = ticks.length ? `M${left} ${bottom}` : `M${left + 0.5} ${top}V${bottom}`; // no ticks: a bare frame
    this.back.use("axis", "path", { class: "edu-axis", d: `${start}h${width}` });
  }

  drawCurves(xRange, dashOf) {
    const toX = (x) => this.toX(x) + BLEED;
    const toY = (y) => this.toY(y) + BLEED;
    this.strip.kept.forEach((kept, i) => {
      const className = `edu-kept edu-dash-${dashOf(kept.label)} edu-${kept.role}`;
      this.kept.use(i, "path", { class: className, d: curvePath(kept, toX, toY) });
    });
    if (this.strip.floor) {
      const d = curvePath(floorCurve(this.strip.floor, xRange), toX, toY);
      this.curves.use("floor", "path", { class: "edu-floor", d });
    }
    this.strip.series.forEach((series, i) => {
      const className = `edu-curve edu-${series.style} edu-${series.role}`;
      this.curves.use(i, "path", { class: className, d: curvePath(series, toX, toY) });
      if (series.style === "markers" && series.x.length * LEAST_DOT_ROOM < this.area.width) {
        this.curves.use(`dots ${i}`, "path", { class: `edu-dots edu-${series.role}`, d: dotsPath(series, toX, toY) });
      }
    });
  }

  /** Write the floor's label where the fewest curves run, and move it only for a clear gain. */
  drawFloorLabel(xRange) {
    const { left, top, width, height } = this.area;
    const curve = floorCurve(this.strip.floor, xRange);
    const text = fitText(this.strip.floor.label, width - 8, this.ruler);
    const size = this.ruler(text);
    const places = ["right above", "right below", "left above", "left below"].map((side) => {
      const start = side.startsWith("right") ? width - size - 4 : 4;
      const heights = [0, 0.5, 1].map((part) => nearestPoint(curve, this.toData(start + part * size))?.y ?? NaN);
      const known = heights.filter((y) => !Number.isNaN(y)).map(this.toY);
      if (!known.length) return null;
      const base = side.endsWith("above") ? Math.min(...known) - 5 : Math.max(...known) + 13;
      const inside = base > 10 && base < height - 2;
      return { side, start, base, cost: this.crossings(start, size, base - 11, base + 3) + (inside ? 0 : 100) };
    }).filter(Boolean);
    if (!places.length) return;
    const best = places.reduce((a, b) => (b.cost < a.cost ? b : a));
    const last = places.find((place) => place.side === this.floorSide);
    const { side, start, base, cost } = last && last.cost <= best.cost + 3 ? last : best;
    this.floorSide = side;
    if (cost < 100) {
      const place = { x: (left + start).toFixed(1), y: (top + base).toFixed(1) };
      this.front.use("floor", "text", { class: "edu-note", ...place }, text);
    }
  }

  /** Count how often the drawn curves pass through a box. */
  crossings(start, size, topEdge, bottomEdge) {
    let count = 0;
    for (const series of this.strip.series) {
      for (let x = start; x <= start + size; x += 8) {
        const point = nearestPoint(series, this.toData(x));
        if (!point || Number.isNaN(point.y) || Math.abs(this.toX(point.x) - x) > 16) continue;
        const y = this.toY(point.y);
        if (y > topEdge && y < bottomEdge) count += 1;
      }
    }
    return count;
  }

  /** Put a dot on the end of each line and its label beside it, with a thin leader where it had to move. */
  drawEnds(labels) {
    if (!labels.length) return;
    const { left, top, width, height } = this.area;
    for (const label of labels) {
      label.x = left + this.toX(label.end.x);
      label.y = top + Math.min(height, Math.max(0, this.toY(label.end.y)));
    }
    spreadLabels(labels, top, top + height);
    const column = Math.min(left + width, Math.max(...labels.map((label) => label.x))) + LABEL_GAP;
    for (const { key, x, y, labelY, role, name, value } of labels) {
      const text = name ? `${name} ${value}` : value;
      const end = { cx: x.toFixed(1), cy: y.toFixed(1), r: 3 };
      this.front.use(`dot ${key}`, "circle", { class: `edu-dot edu-${role}`, ...end });
      if (Math.abs(labelY - y) > 5 || column - x > LABEL_GAP + 6) {
        const d = `M${(x + 4).toFixed(1)} ${y.toFixed(1)}L${column - 2} ${labelY.toFixed(1)}`;
        this.front.use(`leader ${key}`, "path", { class: `edu-leader edu-${role}`, d });
      }
      const place = { x: column, y: (labelY + 4).toFixed(1) };
      this.front.use(`label ${key}`, "text", { class: `edu-label edu-${role}`, ...place }, text);
    }
  }

  /** Return the step under a pixel of this strip. */
  toData(pixel) {
    const [start, end] = [this.toX(0), this.toX(1)];
    return (pixel - start) / (end - start);
  }

  /** Return what the strip shows at a step: [{kind, name, role, value, x, y}], x and y in chart pixels. */
  valuesAt(step) {
    const read = (curve, kind, name, role) => {
      const point = nearestPoint(curve, step);
      if (!point || Number.isNaN(point.y)) return [];
      return [{ kind, name, role, value: formatValue(point.y, this.range), x: this.area.left + this.toX(point.x),
        y: this.area.top + this.toY(point.y) }];
    };
    const { series, floor, kept } = this.strip;
    const rows = series.flatMap((one) => read(one, one.style, one.name, one.role));
    const raw = rows.filter((row) => row.kind === "raw");
    const live = rows.filter((row) => row.kind !== "raw");
    for (const row of live) {
      const same = raw.find(({ name }) => name === row.name);
      if (same) row.value += ` (raw ${same.value})`;
    }
    if (floor?.x) live.push(...read(floor, "floor", floor.label, "neutral"));
    return [...live, ...kept.flatMap((one) => read(one, "kept", one.label, one.role))];
  }
}

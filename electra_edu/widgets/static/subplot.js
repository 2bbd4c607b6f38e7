// One pair of axes of a line chart: a subplot.

const LINE_HEIGHT = 14; // least distance between two labels, in pixels
const LABEL_GAP = 9; // from the end of a line to its label
const LEAST_MARKER_ROOM = 9; // px for each marker of a measurement; closer ones would merge into a band
const BLEED = 4; // thick lines at the edge of the range are drawn whole

/** Return the floor as a curve, whether it came as one number or as a series. */
function floorCurve(floor, [start, end]) {
  return floor.x ? floor : { x: [start, end], y: [floor.y, floor.y] };
}

/** Return the range of a subplot's values: the given one, or the data's with a little air; null without data. */
function valueRange({ ylim, yscale, curves, bands, dots, floor }) {
  if (ylim) return ylim;
  const lists = [...curves.map(({ y }) => y), ...bands.flatMap(({ low, high }) => [low, high]), dots.map(({ y }) => y)];
  if (floor) lists.push(floorCurve(floor, [0, 0]).y);
  const found = extent(lists, yscale);
  if (!found) return null;
  const [low, high] = found;
  if (yscale === "log") return high > low ? [low / 1.15, high * 1.15] : [low / 2, high * 2];
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
    if (!Number.isFinite(toX(curve.x[i])) || !Number.isFinite(toY(curve.y[i]))) {
      if (length === 1) path += "h0";
      length = 0;
    } else {
      path += `${length ? "L" : "M"}${toX(curve.x[i]).toFixed(1)} ${toY(curve.y[i]).toFixed(1)}`;
      length += 1;
    }
  }
  return length === 1 ? path + "h0" : path;
}

/** Return the path of a band: along its lower edge, and back along the upper. */
function bandPath({ x, low, high }, toX, toY) {
  const there = Array.from(x, (_, i) => i).filter((i) => Number.isFinite(toY(low[i])) && Number.isFinite(toY(high[i])));
  const point = (i, edge) => `${toX(x[i]).toFixed(1)} ${toY(edge[i]).toFixed(1)}`;
  const around = [...there.map((i) => point(i, low)), ...there.toReversed().map((i) => point(i, high))];
  return around.length ? `M${around.join("L")}Z` : "";
}

const MARKERS = { // around (0, 0), some 8 pixels wide
  circle: "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0z",
  square: "M-3-3h6v6h-6z",
  diamond: "M0-4.4L4.4 0L0 4.4L-4.4 0z",
  down: "M-4-3h8L0 4z",
  up: "M-4 3h8L0-4z",
  left: "M3-4v8L-4 0z",
  right: "M-3-4v8L4 0z",
  plus: "M-1.3-4h2.6v2.7h2.7v2.6h-2.7v2.7h-2.6v-2.7h-2.7v-2.6h2.7z",
  cross: "M-3.8-2L-2-3.8L0-1.8L2-3.8L3.8-2L1.8 0L3.8 2L2 3.8L0 1.8L-2 3.8L-3.8 2L-1.8 0z",
  star: "M0-5L1.3-1.6L4.8-1.5L2-.1L3 3.6L0 1.6L-3 3.6L-2-.1L-4.8-1.5L-1.3-1.6z",
};

/** Return the path of a marker at each point of a curve. */
function markersPath({ x, y, marker }, toX, toY) {
  let path = "";
  for (let i = 0; i < x.length; i += 1) {
    const [left, top] = [toX(x[i]), toY(y[i])];
    if (Number.isFinite(left) && Number.isFinite(top)) {
      path += `M${left.toFixed(1)} ${top.toFixed(1)}${MARKERS[marker].replace("M", "m")}`;
    }
  }
  return path;
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

class Subplot {
  constructor(parent, ruler) {
    this.ruler = ruler;
    this.node = new Layer(parent).node;
    this.back = new Layer(this.node);
    this.plot = new Layer(this.node, "svg"); // an inner svg clips what leaves the range
    this.pale = new Layer(this.plot.node);
    this.curves = new Layer(this.plot.node);
    this.front = new Layer(this.node);
    this.floorSide = null;
  }

  /** Work out range, ticks and end labels of a subplot that is `height` pixels high; an empty one has no ticks. */
  plan(subplot, height, empty) {
    const range = valueRange(subplot);
    const toY = new Axis(range ?? [0, 1], height, range ? subplot.yscale : "linear");
    const labels = subplot.curves.flatMap((curve, key) => {
      const end = ["raw", "pale"].includes(curve.style) || !curve.name ? null : lastPoint(curve);
      if (!end) return [];
      const name = curve.name === subplot.label ? "" : curve.name;
      return [{ key, end, color: curve.color, name, value: this.write(end.y, range, subplot.yscale) }];
    });
    const ticks = range && !empty ? toY.ticks(Math.max(3, Math.round(height / 34))) : [];
    return { subplot, range, toY, ticks, labels, tickWidth: Math.max(0, ...ticks.map(({ text }) => this.ruler(text))) };
  }

  write(value, range, scale) {
    return scale === "log" ? shortNumber(value) : formatValue(value, range);
  }

  /** Draw a plan into an area of the chart ({left, top, width, height}); `xAxis` maps x to pixels from its left edge. */
  draw({ subplot, range, toY, ticks, labels }, area, xAxis, xTicks, dashOf) {
    const { left, top, width, height } = area;
    this.xAxis = xAxis;
    this.toX = xAxis.at;
    this.toY = (y) => height - toY.at(y);
    this.area = area;
    this.subplot = subplot;
    this.range = range ?? [0, 1];
    this.drawAxes(ticks, xTicks);
    setAll(this.plot.node, { x: left - BLEED, y: top - BLEED, width: width + 2 * BLEED, height: height + 2 * BLEED });
    this.drawCurves(dashOf);
    if (subplot.floor && range && ticks.length) this.drawFloorLabel();
    this.drawEnds(labels);
    this.drawDots();
    for (const layer of [this.back, this.pale, this.curves, this.front]) layer.sweep();
  }

  drawAxes(ticks, xTicks) {
    const { left, top, width, height } = this.area;
    const { label, unit, color } = this.subplot;
    this.header = unit ? `${label} (${unit})` : label;
    this.back.use("header", "text", { class: `edu-subplot-label edu-color-${color}`, x: left, y: top - 7 }, this.header);
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

  drawCurves(dashOf) {
    const { curves, bands, floor } = this.subplot;
    const toX = (x) => this.toX(x) + BLEED;
    const toY = (y) => this.toY(y) + BLEED;
    bands.forEach((band, i) => {
      const shape = { d: bandPath(band, toX, toY), "fill-opacity": band.opacity };
      this.pale.use(`band ${i}`, "path", { class: `edu-band edu-color-${band.color}`, ...shape });
    });
    if (floor) this.curves.use("floor", "path", { class: "edu-floor", d: curvePath(this.floorCurve(), toX, toY) });
    curves.forEach((curve, i) => {
      const isPale = curve.style === "pale";
      const style = isPale ? `edu-pale edu-dash-${dashOf(curve.name)}` : `edu-curve edu-${curve.style}`;
      const layer = isPale ? this.pale : this.curves;
      const look = curve.marker ? `${style} edu-measured` : style;
      layer.use(i, "path", { class: `${look} edu-color-${curve.color}`, d: curvePath(curve, toX, toY) });
      if (curve.marker && curve.x.length * LEAST_MARKER_ROOM < this.area.width) {
        const d = markersPath(curve, toX, toY);
        this.curves.use(`markers ${i}`, "path", { class: `edu-markers edu-color-${curve.color}`, d });
      }
    });
  }

  /** Draw named points, each with its name below it, on the side that has room. */
  drawDots() {
    const { left, top, width, height } = this.area;
    this.subplot.dots.forEach(({ x, y, label }, i) => {
      const [across, down] = [this.toX(x), this.toY(y)];
      this.front.use(`point ${i}`, "circle", { class: "edu-dot edu-color-ink", cx: left + across, cy: top + down, r: 4.5 });
      const start = across > 0.6 * width ? across - 8 - this.ruler(label) : across + 8;
      const place = { x: (left + start).toFixed(1), y: (top + Math.min(down + 16, height - 5)).toFixed(1) };
      this.front.use(`name ${i}`, "text", { class: "edu-name", ...place }, label);
    });
  }

  floorCurve() {
    return floorCurve(this.subplot.floor, this.xAxis.range);
  }

  /** Write the floor's label where the fewest curves run, and move it only for a clear gain. */
  drawFloorLabel() {
    const { left, top, width, height } = this.area;
    const curve = this.floorCurve();
    const text = fitText(this.subplot.floor.label, width - 8, this.ruler);
    const size = this.ruler(text);
    const places = ["right above", "right below", "left above", "left below"].map((side) => {
      const start = side.startsWith("right") ? width - size - 4 : 4;
      const heights = [0, 0.5, 1].map((part) => nearestPoint(curve, this.xAxis.value(start + part * size))?.y ?? NaN);
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
    for (const curve of this.subplot.curves.filter(({ style }) => style !== "pale")) {
      for (let x = start; x <= start + size; x += 8) {
        const point = nearestPoint(curve, this.xAxis.value(x));
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
    for (const { key, x, y, labelY, color, name, value } of labels) {
      const text = name ? `${name} ${value}` : value;
      const end = { cx: x.toFixed(1), cy: y.toFixed(1), r: 3 };
      this.front.use(`dot ${key}`, "circle", { class: `edu-dot edu-color-${color}`, ...end });
      if (Math.abs(labelY - y) > 5 || column - x > LABEL_GAP + 6) {
        const d = `M${(x + 4).toFixed(1)} ${y.toFixed(1)}L${column - 2} ${labelY.toFixed(1)}`;
        this.front.use(`leader ${key}`, "path", { class: `edu-leader edu-color-${color}`, d });
      }
      const place = { x: column, y: (labelY + 4).toFixed(1) };
      this.front.use(`label ${key}`, "text", { class: `edu-label edu-color-${color}`, ...place }, text);
    }
  }

  /** Return what the subplot shows at x: [{kind, name, color, value, x, y}], x and y in chart pixels. */
  valuesAt(x) {
    const { curves, bands, floor, yscale } = this.subplot;
    const write = (value) => this.write(value, this.range, yscale);
    const read = (curve, kind, name, color) => {
      const point = nearestPoint(curve, x);
      if (!point || Number.isNaN(point.y)) return [];
      const place = { x: this.area.left + this.toX(point.x), y: this.area.top + this.toY(point.y) };
      return [{ kind, name, color, value: write(point.y), ...place }];
    };
    const named = (curve) => read(curve, curve.style, curve.name || this.subplot.label, curve.color);
    const rows = curves.flatMap(named);
    const raw = rows.filter((row) => row.kind === "raw");
    const live = rows.filter((row) => !["raw", "pale"].includes(row.kind));
    for (const row of live) {
      const same = raw.find(({ name }) => name === row.name);
      if (same) row.value += ` (raw ${same.value})`;
    }
    for (const { x: places, low, high, color } of bands) {
      const [bottom, top] = [low, high].map((y) => nearestPoint({ x: places, y }, x));
      const row = bottom && !Number.isNaN(bottom.y) && live.find((one) => one.color === color && !one.value.includes("["));
      if (row) row.value += ` [${write(bottom.y)}–${write(top.y)}]`;
    }
    if (floor?.x) live.push(...read(floor, "floor", floor.label, "neutral"));
    return [...live, ...rows.filter((row) => row.kind === "pale")];
  }
}

// The charts that are drawn anew whenever they change: bars, histograms, intervals, heat maps and squares.

/** An svg below a title and a key, with axes whose edges are `edge` ({left, right, top, bottom}) from its own. */
class Plot {
  constructor(box, width, height, title, edge) {
    Object.assign(this, { width, height });
    this.edge = { right: 20, top: 6, bottom: 36, ...edge };
    this.across = width - this.edge.left - this.edge.right;
    this.base = height - this.edge.bottom;
    html("p", "edu-block-title", box, title);
    this.key = html("p", "edu-key", box);
    this.svg = document.createElementNS(SVG, "svg");
    setAll(this.svg, { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": title });
    box.append(this.svg);
  }

  put(tag, className, attributes, text = "") {
    const node = setAll(document.createElementNS(SVG, tag), { class: className, ...attributes });
    node.textContent = text;
    this.svg.append(node);
    return node;
  }

  /** Say what a shape stands for to those who point at it. */
  describe(node, text) {
    node.append(document.createElementNS(SVG, "title"));
    node.lastChild.textContent = text;
  }

  xAxis(range, label, kind = "linear", asPercent = false) {
    const axis = new Axis(range, this.across, kind);
    this.x = (value) => this.edge.left + axis.at(value);
    for (const { value, text } of axis.ticks(this.width > 500 ? 9 : 6)) {
      const x = this.x(value);
      const written = asPercent ? `${Math.round(100 * value)}%` : text;
      this.put("line", "edu-grid", { x1: x, x2: x, y1: this.edge.top, y2: this.base });
      this.put("text", "edu-tick", { x, y: this.base + 14, "text-anchor": "middle" }, written);
    }
    const middle = this.edge.left + this.across / 2;
    this.put("text", "edu-tick", { x: middle, y: this.height - 5, "text-anchor": "middle" }, label);
  }

  yAxis(range, label) {
    const axis = new Axis(range, this.base - this.edge.top);
    this.y = (value) => this.base - axis.at(value);
    for (const { value, text } of axis.ticks(4)) {
      const y = this.y(value);
      this.put("line", "edu-grid", { x1: this.edge.left, x2: this.edge.left + this.across, y1: y, y2: y });
      this.put("text", "edu-tick", { x: this.edge.left - 5, y: y + 4, "text-anchor": "end" }, text);
    }
    const middle = (this.edge.top + this.base) / 2;
    this.put("text", "edu-tick", { x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, "text-anchor": "middle" }, label);
  }

  /** Write the label of a row, whose middle is at `y`. */
  rowLabel(text, y, isHighlighted = false) {
    const className = isHighlighted ? "edu-row-label edu-highlighted" : "edu-row-label";
    this.put("text", className, { x: this.edge.left - 7, y: y + 4, "text-anchor": "end" }, text);
  }

  verticalLine({ x: value, label }) {
    const x = this.x(value);
    this.put("line", "edu-line", { x1: x, x2: x, y1: this.edge.top, y2: this.base });
    const isRight = x > this.width * 0.6;
    const place = { x: x + (isRight ? -5 : 5), y: this.edge.top + 12, "text-anchor": isRight ? "end" : "start" };
    this.put("text", "edu-name", place, label);
  }

  legend(series) {
    for (const { name, color, hollow } of series) {
      const item = html("span", "", this.key);
      html("i", `edu-swatch-box edu-color-${color}${hollow ? "" : " edu-filled"}`, item);
      item.append(` ${name}`);
    }
  }
}

/** Return the room for labels on the left. */
function labelRoom(labels, width) {
  return Math.min(width / 2, 14 + 7.2 * Math.max(0, ...labels.map((label) => label.length)));
}

function drawBarChart({ title, labels, series, xlabel, limit, highlighted, as_percent: asPercent }, box, width) {
  const row = Math.max(18, 13 * series.length + 6);
  const plot = new Plot(box, width, row * labels.length + 44, title, { left: labelRoom(labels, width) });
  const most = limit ?? (Math.max(0, ...series.flatMap(({ values }) => values)) || 1);
  plot.xAxis([0, most], xlabel, "linear", asPercent);
  labels.forEach((label, i) => {
    const top = plot.edge.top + i * row;
    plot.rowLabel(label, top + row / 2, i === highlighted);
    const high = (row - 6) / series.length;
    series.forEach(({ name, values, color, hollow }, j) => {
      if (values[i] === null) return;
      const end = plot.x(Math.min(values[i], most));
      const size = { width: Math.max(0.5, end - plot.edge.left), height: Math.max(1, high - 1) };
      const className = `edu-bar-shape edu-color-${color}${hollow ? " edu-hollow" : ""}`;
      const shape = plot.put("rect", className, { x: plot.edge.left, y: top + 3 + j * high, ...size });
      const value = asPercent ? `${(100 * values[i]).toFixed(1)}%` : values[i].toPrecision(3);
      plot.describe(shape, `${label}, ${name}: ${value}`);
    });
  });
  if (series.length > 1) plot.legend(series);
}

function drawHistogram({ title, edges, series, xlabel, ylabel, line }, box, width) {
  const plot = new Plot(box, width, 200, title, { left: 56 });
  const most = Math.max(...series.flatMap(({ values }) => values)) || 1;
  plot.xAxis([edges[0], edges.at(-1)], xlabel);
  plot.yAxis([0, most * 1.08], ylabel);
  for (const { values, color, hollow } of series) {
    const steps = values.map((value, i) => (
      `L${plot.x(edges[i])} ${plot.y(value)}L${plot.x(edges[i + 1])} ${plot.y(value)}`));
    const d = `M${plot.x(edges[0])} ${plot.base}${steps.join("")}L${plot.x(edges.at(-1))} ${plot.base}Z`;
    plot.put("path", `edu-area edu-color-${color}${hollow ? " edu-hollow" : ""}`, { d });
  }
  if (line) plot.verticalLine(line);
  plot.legend(series.filter(({ name }) => name));
}

function drawIntervalChart({ title, estimates, xlabel, reference, xscale }, box, width) {
  const row = 22;
  const labels = estimates.map(({ label }) => label);
  const plot = new Plot(box, width, row * labels.length + 44, title, { left: labelRoom(labels, width) });
  const values = [estimates.flatMap(({ low, high, value }) => [low, value, high]), reference ? [reference.x] : []];
  const [low, high] = extent(values, xscale) ?? [0.5, 1];
  const air = 0.06 * (high - low) || 0.5;
  plot.xAxis(xscale === "log" ? [low / 1.1, high * 1.1] : [low - air, high + air], xlabel, xscale);
  if (reference) plot.verticalLine(reference);
  estimates.forEach(({ label, value, low: start, high: end, color }, i) => {
    const y = plot.edge.top + (i + 0.5) * row;
    plot.rowLabel(label, y);
    plot.put("path", `edu-interval edu-color-${color}`, { d: `M${plot.x(start)} ${y}H${plot.x(end)}` });
    const dot = plot.put("circle", `edu-dot edu-color-${color}`, { cx: plot.x(value), cy: y, r: 4.5 });
    plot.describe(dot, `${label}: ${shortNumber(value)} [${shortNumber(start)}–${shortNumber(end)}]`);
  });
}

function drawHeatMap({ title, rows, columns, values, limits, color, xlabel, ylabel }, box, width) {
  const longest = 7 * Math.max(0, ...columns.map((label) => label.length));
  const left = labelRoom(rows, width) + (ylabel ? 18 : 0);
  const size = Math.max(10, Math.min(56, (width - left - 8) / Math.max(1, columns.length)));
  const high = Math.max(18, Math.min(26, size));
  const isUpright = longest <= size;
  const bottom = (isUpright ? 20 : longest + 10) + (xlabel ? 18 : 0);
  const plot = new Plot(box, width, high * rows.length + 6 + bottom, title, { left, right: 8, bottom });
  const range = limits[1] - limits[0] || 1;
  rows.forEach((label, i) => {
    plot.rowLabel(label, plot.edge.top + (i + 0.5) * high);
    values[i].forEach((value, j) => {
      if (value === null) return;
      const [x, y] = [left + j * size, plot.edge.top + i * high];
      const share = Math.max(0, Math.min(1, (value - limits[0]) / range));
      const shape = plot.put("rect", `edu-cell edu-color-${color}`, { x, y, width: size - 1, height: high - 1 });
      shape.style.setProperty("--edu-share", `${Math.round(100 * share)}%`);
      plot.describe(shape, `${label}, ${columns[j]}: ${shortNumber(value)}`);
      if (size < 34) return;
      const className = share > 0.55 ? "edu-cell-text edu-on-color" : "edu-cell-text";
      plot.put("text", className, { x: x + size / 2, y: y + high / 2 + 4, "text-anchor": "middle" }, value.toFixed(2));
    });
  });
  columns.forEach((label, j) => {
    const [x, y] = [left + (j + 0.5) * size, plot.base + (isUpright ? 14 : 8)];
    const turned = isUpright ? { "text-anchor": "middle" } : { transform: `rotate(-90 ${x} ${y})`, "text-anchor": "end", dy: 4 };
    plot.put("text", "edu-tick", { x, y, ...turned }, label);
  });
  plot.put("text", "edu-tick", { x: left + (columns.length * size) / 2, y: plot.height - 5, "text-anchor": "middle" }, xlabel);
  const middle = plot.edge.top + (rows.length * high) / 2;
  plot.put("text", "edu-tick", { x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, "text-anchor": "middle" }, ylabel);
}

function drawSquares({ title, squares, per_row: perRow }, box, width) {
  const size = Math.min(14, Math.floor((width - 4) / perRow));
  const plot = new Plot(box, size * perRow, size * Math.ceil(squares.length / perRow), title, { left: 0, right: 0 });
  squares.forEach((color, i) => {
    const place = { x: (i % perRow) * size + 1, y: Math.floor(i / perRow) * size + 1, width: size - 3, height: size - 3 };
    plot.put("rect", `edu-square edu-color-${color ?? "neutral"}${color === null ? " edu-hollow" : ""}`, place);
  });
}

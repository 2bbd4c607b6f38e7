// A sheet: draws `blocks`, the same plain data that plots/sheet.py draws with matplotlib. A picked word travels back
// as a message {action, index}. Blocks that did not change keep their elements, and with them the reader's focus.

const SVG = "http://www.w3.org/2000/svg";
const FULL = 812;
const HALF = 398;

function add(parent, tag, className = "", text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text; // data only ever arrives as text
  parent.append(node);
  return node;
}

function color(name) {
  return `edu-tone-${name}`;
}

function drawTokens(block, box, { send }) {
  if (block.title) add(box, "p", "edu-sheet-title", block.title);
  const line = add(box, "div", "edu-sheet-words");
  block.tokens.forEach((token, index) => {
    const isButton = block.pick && !token.is_plain;
    const node = add(line, isButton ? "button" : "span", `edu-sheet-word ${color(token.color)}`);
    if (token.sign || block.tokens.some(({ sign }) => sign)) add(node, "b", "edu-sheet-sign", token.sign);
    add(node, "span", "edu-sheet-text", token.text);
    if (token.level !== null) {
      const bar = add(add(node, "span", "edu-sheet-bar"), "span");
      bar.style.width = `${Math.round(100 * token.level)}%`;
    }
    if (block.tokens.some(({ note }) => note)) add(node, "span", "edu-sheet-note", token.note);
    if (token.about) node.title = token.about;
    if (isButton) {
      node.type = "button";
      node.setAttribute("aria-pressed", token.pressed);
      if (token.about) node.setAttribute("aria-label", `${token.text}. ${token.about}`);
      node.addEventListener("click", () => send({ action: block.pick, index }));
    }
  });
  if (block.key.length) {
    const key = add(box, "p", "edu-sheet-key");
    for (const [name, sign, meaning] of block.key) {
      const item = add(key, "span");
      add(item, "b", `edu-sheet-sign ${color(name)}`, sign);
      item.append(` ${meaning}`);
    }
  }
}

function drawFacts(block, box) {
  const row = add(box, "div", "edu-sheet-facts");
  for (const fact of block.facts) {
    const item = add(row, "p", color(fact.color));
    add(item, "b", "", fact.value);
    add(item, "span", "", fact.label);
  }
}

function drawText(block, box) {
  add(box, "p", `edu-sheet-prose ${color(block.color)}`, block.text);
}

function drawCode(block, box) {
  add(box, "pre", "edu-sheet-code", block.code).tabIndex = 0;
}

function drawTable(block, box) {
  const table = add(box, "table", "edu-sheet-table");
  if (block.title) add(table, "caption", "edu-sheet-title", block.title);
  const head = add(add(table, "thead"), "tr");
  for (const name of block.head) add(head, "th", "", name).scope = "col";
  const body = add(table, "tbody");
  for (const cells of block.rows) {
    const row = add(body, "tr");
    cells.forEach((cell, i) => {
      const node = add(row, i ? "td" : "th", "", cell);
      if (!i) node.scope = "row";
    });
  }
}

function drawRow(block, box, tools) {
  const row = add(box, "div", "edu-sheet-pair");
  for (const half of block.blocks) draw(half, add(row, "div", "edu-sheet-half"), { ...tools, width: HALF });
}

// Charts

/** Numbers for an axis: about `count` round ones between low and high. */
function ticks(low, high, count) {
  const rough = (high - low) / count || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.99);
  const first = Math.ceil(low / step - 1e-9);
  const found = [];
  for (let i = first; i * step <= high + step * 1e-9; i += 1) found.push(i * step);
  return { values: found, digits: Math.max(0, -Math.floor(Math.log10(step) + 1e-9)) };
}

function written(value, digits, asPercent = false) {
  if (asPercent) return `${(100 * value).toFixed(Math.max(0, digits - 2))}%`;
  return value.toFixed(digits).replace("-", "−").replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
}

/** An svg with axes in `box`, and the functions x and y from data to pixels. */
class Plot {
  constructor(box, width, height, block, left) {
    this.width = width;
    this.edge = { left, right: 20, top: 6, bottom: 36 };
    this.height = height;
    add(box, "p", "edu-sheet-title", block.title);
    this.key = add(box, "p", "edu-sheet-key");
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", block.title);
    box.append(this.svg);
  }

  scale(xlim, ylim) {
    const { left, right, top, bottom } = this.edge;
    const across = this.width - left - right;
    const up = this.height - top - bottom;
    this.x = (value) => left + ((value - xlim[0]) / (xlim[1] - xlim[0] || 1)) * across;
    this.y = (value) => top + (1 - (value - ylim[0]) / (ylim[1] - ylim[0] || 1)) * up;
  }

  put(tag, className, attributes, text = "") {
    const node = document.createElementNS(SVG, tag);
    node.setAttribute("class", className);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    node.textContent = text;
    this.svg.append(node);
    return node;
  }

  xAxis(lim, label, asPercent = false) {
    const base = this.height - this.edge.bottom;
    const { values, digits } = ticks(lim[0], lim[1], this.width > 500 ? 9 : 6);
    for (const value of values) {
      this.put("line", "edu-plot-grid", { x1: this.x(value), x2: this.x(value), y1: this.edge.top, y2: base });
      this.put("text", "edu-plot-tick", { x: this.x(value), y: base + 14, "text-anchor": "middle" }, written(value, digits, asPercent));
    }
    this.put("text", "edu-plot-label", { x: (this.edge.left + this.width - this.edge.right) / 2, y: this.height - 5, "text-anchor": "middle" }, label);
  }

  yAxis(lim, label) {
    const { values, digits } = ticks(lim[0], lim[1], 4);
    for (const value of values) {
      this.put("line", "edu-plot-grid", { x1: this.edge.left, x2: this.width - this.edge.right, y1: this.y(value), y2: this.y(value) });
      this.put("text", "edu-plot-tick", { x: this.edge.left - 5, y: this.y(value) + 4, "text-anchor": "end" }, written(value, digits));
    }
    const middle = (this.edge.top + this.height - this.edge.bottom) / 2;
    this.put("text", "edu-plot-label", { x: 12, y: middle, transform: `rotate(-90 12 ${middle})`, "text-anchor": "middle" }, label);
  }

  marker(value, name) {
    const x = this.x(value);
    this.put("line", "edu-plot-marker", { x1: x, x2: x, y1: this.edge.top, y2: this.height - this.edge.bottom });
    const isRight = x > this.width * 0.6;
    this.put("text", "edu-plot-name", { x: x + (isRight ? -5 : 5), y: this.edge.top + 12, "text-anchor": isRight ? "end" : "start" }, name);
  }

  legend(items) {
    for (const { name, color: ink, style } of items) {
      const item = add(this.key, "span");
      add(item, "i", `edu-plot-swatch edu-plot-${style} ${color(ink)}`);
      item.append(` ${name}`);
    }
  }
}

function drawBars(block, box, { width }) {
  const row = Math.max(18, 13 * block.series.length + 6);
  const longest = Math.max(...block.labels.map((label) => label.length));
  const plot = new Plot(box, width, row * block.labels.length + 44, block, Math.min(width / 2, 14 + longest * 7.2));
  const most = block.limit ?? (Math.max(0, ...block.series.flatMap(({ values }) => values)) || 1);
  plot.scale([0, most], [0, 1]);
  plot.xAxis([0, most], block.xlabel, block.as_percent);
  block.labels.forEach((label, i) => {
    const top = plot.edge.top + i * row;
    plot.put("text", `edu-plot-row${i === block.highlighted ? " edu-plot-lit" : ""}`, { x: plot.edge.left - 7, y: top + row / 2 + 4, "text-anchor": "end" }, label);
    const high = (row - 6) / block.series.length;
    block.series.forEach(({ name, values, color: ink, hollow }, j) => {
      const value = Math.min(values[i], most);
      if (!Number.isFinite(value)) return;
      const shape = plot.put("rect", `edu-plot-bar ${color(ink)}${hollow ? " edu-plot-hollow" : ""}`, { x: plot.edge.left, y: top + 3 + j * high, width: Math.max(0.5, plot.x(value) - plot.edge.left), height: Math.max(1, high - 1) });
      const told = document.createElementNS(SVG, "title");
      told.textContent = `${label}, ${name}: ${block.as_percent ? `${(100 * values[i]).toFixed(1)}%` : values[i].toPrecision(3)}`;
      shape.append(told);
    });
  });
  if (block.series.length > 1) plot.legend(block.series.map((each) => ({ ...each, style: each.hollow ? "hollow" : "filled" })));
}

function drawColumns(block, box, { width }) {
  const plot = new Plot(box, width, 200, block, 56);
  const xlim = [block.edges[0], block.edges.at(-1)];
  const most = Math.max(...block.series.flatMap(({ values }) => values)) || 1;
  plot.scale(xlim, [0, most * 1.08]);
  plot.xAxis(xlim, block.xlabel);
  plot.yAxis([0, most * 1.08], block.ylabel);
  for (const { values, color: ink, hollow } of block.series) {
    const base = plot.y(0);
    let path = `M${plot.x(xlim[0])} ${base}`;
    values.forEach((value, i) => {
      path += `L${plot.x(block.edges[i])} ${plot.y(value)}L${plot.x(block.edges[i + 1])} ${plot.y(value)}`;
    });
    plot.put("path", `edu-plot-area ${color(ink)}${hollow ? " edu-plot-hollow" : ""}`, { d: `${path}L${plot.x(xlim[1])} ${base}Z` });
  }
  if (block.marker !== null) plot.marker(block.marker, block.marker_name);
  plot.legend(block.series.filter(({ name }) => name).map((each) => ({ ...each, style: each.hollow ? "hollow" : "filled" })));
}

function drawCells(block, box, { width }) {
  const size = Math.min(14, Math.floor((width - 4) / block.per_row));
  add(box, "p", "edu-sheet-title", block.title);
  const svg = document.createElementNS(SVG, "svg");
  const [across, down] = [size * block.per_row, size * Math.ceil(block.squares.length / block.per_row)];
  for (const [name, value] of Object.entries({ width: across, height: down, viewBox: `0 0 ${across} ${down}`, role: "img", "aria-label": block.title })) svg.setAttribute(name, value);
  block.squares.forEach((cell, i) => {
    const node = document.createElementNS(SVG, "rect");
    const place = { x: (i % block.per_row) * size + 1, y: Math.floor(i / block.per_row) * size + 1, width: size - 3, height: size - 3 };
    for (const [name, value] of Object.entries(place)) node.setAttribute(name, value);
    node.setAttribute("class", `edu-plot-cell ${color(cell ?? "neutral")}${cell === null ? " edu-plot-hollow" : ""}`);
    svg.append(node);
  });
  box.append(svg);
}

function drawLines(block, box, { width }) {
  const plot = new Plot(box, width, 200, block, 56);
  const ofAll = (axis) => block.curves.flatMap((curve) => curve[axis]).filter((value) => value !== null && Number.isFinite(value));
  const span = (values) => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    return low < high ? [low, high] : [low - 0.5, high + 0.5];
  };
  const xlim = block.xlim ?? span(ofAll("x"));
  const [low, high] = span(ofAll("y"));
  const ylim = block.ylim ?? [low >= 0 && low < 0.4 * high ? 0 : low - 0.05 * (high - low), high + 0.05 * (high - low)];
  plot.scale(xlim, ylim);
  plot.xAxis(xlim, block.xlabel);
  plot.yAxis(ylim, block.ylabel);
  for (const { x, y, color: ink, dashed } of block.curves) {
    let path = "";
    let isDrawing = false;
    x.forEach((value, i) => {
      const isThere = y[i] !== null && Number.isFinite(y[i]);
      if (isThere) path += `${isDrawing ? "L" : "M"}${plot.x(value).toFixed(1)} ${plot.y(y[i]).toFixed(1)}`;
      isDrawing = isThere;
    });
    plot.put("path", `edu-plot-curve ${color(ink)}${dashed ? " edu-plot-dashed" : ""}`, { d: path });
  }
  if (block.marker !== null) plot.marker(block.marker, block.marker_name);
  for (const [x, y, name] of block.dots) {
    plot.put("circle", "edu-plot-dot", { cx: plot.x(x), cy: plot.y(y), r: 4.5 });
    const isRight = plot.x(x) > width * 0.6;
    const below = Math.min(plot.y(y) + 16, plot.height - plot.edge.bottom - 5); // where a curve that bends down leaves room
    plot.put("text", "edu-plot-name", { x: plot.x(x) + (isRight ? -8 : 8), y: below, "text-anchor": isRight ? "end" : "start" }, name);
  }
  plot.legend(block.curves.filter(({ name }) => name).map((each) => ({ ...each, style: each.dashed ? "dashed" : "line" })));
}

const DRAW = {
  Tokens: drawTokens,
  Facts: drawFacts,
  Text: drawText,
  Code: drawCode,
  Table: drawTable,
  Row: drawRow,
  BarChart: drawBars,
  Histogram: drawColumns,
  Squares: drawCells,
  LineChart: drawLines,
};

function draw(block, box, tools) {
  DRAW[block.kind](block, box, tools);
}

function render({ model, el }) {
  const root = add(el, "section", "edu-panel edu-sheet");
  root.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes Enter and Space from the words
  const send = (message) => model.send(message);
  let drawn = [];
  const update = () => {
    const blocks = model.get("blocks");
    root.setAttribute("aria-label", model.get("name"));
    blocks.forEach((block, i) => {
      const text = JSON.stringify(block);
      if (drawn[i]?.text === text) return;
      const box = drawn[i]?.box ?? add(root, "div", "edu-sheet-block");
      const focused = [...box.querySelectorAll("button")].indexOf(document.activeElement);
      box.replaceChildren();
      draw(block, box, { send, width: FULL });
      if (focused >= 0) box.querySelectorAll("button")[focused]?.focus();
      drawn[i] = { text, box };
    });
    for (const { box } of drawn.splice(blocks.length)) box.remove();
  };
  model.on("change:blocks", update);
  update();
  const end = keepNamed(el);
  return () => {
    model.off("change:blocks", update);
    end();
  };
}

export default { render };

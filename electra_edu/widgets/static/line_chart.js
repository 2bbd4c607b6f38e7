// Part 3 of the live view: a chart, its shared x axis, its cursor and what it says to a screen reader.

const CHART_HEIGHT = 232;
const TITLE_HEIGHT = 18;
const HEADER_HEIGHT = 24; // above each strip: its label
const AXIS_HEIGHT = 22; // below the last strip: the x ticks
const MOST_LABEL_SHARE = 0.36; // of the chart's width that end labels may take
const LABEL_WEIGHT = 600; // of end labels and titles, as in live_view.css
const MOST_ROWS = 9; // of the readout

class Chart {
  /** `onCursor(step or null, byKeyboard)` is told where the reader points. */
  constructor(parent, ruler, onCursor, signal) {
    this.box = html("div", "edu-chart", parent);
    this.root = new Layer(this.box, "svg");
    this.svg = this.root.node;
    this.ruler = ruler;
    this.under = new Layer(this.svg);
    this.strips = [];
    this.stripsNode = new Layer(this.svg).node;
    this.over = new Layer(this.svg);
    this.readout = html("div", "edu-readout", this.box);
    this.readout.hidden = true;
    this.cursor = null;
    for (const [name, value] of [["role", "img"], ["tabindex", "0"], ["height", CHART_HEIGHT],
      ["data-lm-suppress-shortcuts", "true"]]) { // else JupyterLab takes the arrow keys for its cells
      this.svg.setAttribute(name, value);
    }
    this.svg.addEventListener("pointermove", (event) => onCursor(this.stepUnder(event.offsetX), false), { signal });
    this.svg.addEventListener("pointerleave", () => onCursor(null, false), { signal });
    this.svg.addEventListener("blur", () => onCursor(null, false), { signal });
    this.svg.addEventListener("keydown", (event) => this.onKey(event, onCursor), { signal });
  }

  /**
   * Draw one chart of a frame. What all charts of the frame share comes in `shared`: xRange (null: no data yet), whole
   * (steps are whole numbers), marks, xLabel and dashOf (the dash of a kept setting).
   */
  draw(chart, width, shared) {
    const { xRange, whole, marks, xLabel, dashOf } = shared;
    Object.assign(this, { chart, width, xRange, marks, xLabel });
    this.svg.setAttribute("width", width);
    while (this.strips.length < chart.strips.length) this.strips.push(new Strip(this.stripsNode, this.ruler));
    while (this.strips.length > chart.strips.length) this.strips.pop().node.remove();

    const room = CHART_HEIGHT - TITLE_HEIGHT - AXIS_HEIGHT;
    const height = Math.max(20, room / Math.max(1, chart.strips.length) - HEADER_HEIGHT);
    const plans = chart.strips.map((strip, i) => this.strips[i].plan(strip, height, !xRange));
    const labels = plans.flatMap((plan) => plan.labels);
    const mostLabel = width * MOST_LABEL_SHARE;
    for (const label of labels) {
      label.width = this.ruler(`${label.name} ${label.value}`, LABEL_WEIGHT);
      if (label.width <= mostLabel) continue;
      const room = mostLabel - this.ruler(` ${label.value}`, LABEL_WEIGHT); // a name may be shortened, a value never
      label.name = fitText(label.name, room, this.ruler, LABEL_WEIGHT);
      label.width = mostLabel;
    }
    const left = Math.ceil(Math.max(24, ...plans.map((plan) => plan.tickWidth)) + 8);
    const right = Math.ceil(Math.max(48, ...labels.map((label) => label.width + LABEL_GAP + 4)));
    const [top, bottom] = [TITLE_HEIGHT + HEADER_HEIGHT, CHART_HEIGHT - AXIS_HEIGHT];
    this.area = { left, width: width - left - right, top, bottom };
    const ticks = xRange ? this.xTicks(whole) : [];
    plans.forEach((plan, i) => {
      const area = { ...this.area, top: top + i * (height + HEADER_HEIGHT), height };
      this.strips[i].draw(plan, area, xRange ?? [0, 1], ticks, dashOf);
    });
    this.under.use("title", "text", { class: "edu-title", x: 0, y: 13 }, chart.title);
    this.drawXTicks(ticks);
    if (xRange) this.drawMarks();
    this.under.sweep();
    this.drawCursor(this.cursor);
  }

  toX(step) {
    return this.area.left + ((step - this.xRange[0]) / (this.xRange[1] - this.xRange[0])) * this.area.width;
  }

  /** Return as many round places on the x axis as can be labelled with room between. */
  xTicks(whole) {
    for (let count = Math.floor(this.width / 80); ; count -= 1) {
      const ticks = niceTicks(this.xRange, count, whole);
      const widest = Math.max(...ticks.map(({ text }) => this.ruler(text)));
      const apart = ticks.length > 1 ? this.toX(ticks[1].value) - this.toX(ticks[0].value) : Infinity;
      if (apart >= widest + 12 || count <= 1) return ticks;
    }
  }

  drawXTicks(ticks) {
    const y = CHART_HEIGHT - 6;
    ticks.forEach(({ value, text }, i) => {
      const full = i === ticks.length - 1 ? `${text} ${this.xLabel}` : text; // the last number carries the unit
      const x = Math.min(this.toX(value) - this.ruler(text) / 2, this.width - this.ruler(full));
      this.under.use(`x ${value}`, "text", { class: "edu-tick", x: x.toFixed(1), y }, full);
    });
  }

  /** Draw the changes made during the run; where two rows cannot hold all labels, the older are left to the cursor. */
  drawMarks() {
    const header = this.chart.strips[0] ? this.strips[0].header : "";
    const rows = [
      { y: 13, start: (13 / 12) * this.ruler(this.chart.title, LABEL_WEIGHT) + 14, end: this.width },
      { y: TITLE_HEIGHT + HEADER_HEIGHT - 7, start: this.area.left + this.ruler(header, 500) + 10, end: this.width },
    ];
    this.marks.toReversed().forEach(({ x: step, label }, i) => {
      if (step < this.xRange[0] || step > this.xRange[1]) return;
      const x = this.toX(step);
      const text = fitText(label, 180, this.ruler);
      const size = this.ruler(text);
      const place = (row) => Math.max(row.start, Math.min(x - size / 2, row.end - size));
      const row = rows.find((one) => place(one) <= x && place(one) + size >= x && place(one) + size <= one.end);
      const top = row ? row.y + 4 : TITLE_HEIGHT;
      this.under.use(`mark ${i}`, "path", { class: "edu-mark", d: `M${x.toFixed(1)} ${top}V${this.area.bottom}` });
      if (!row) return;
      const start = place(row);
      this.under.use(`mark label ${i}`, "text", { class: "edu-note", x: start.toFixed(1), y: row.y }, text);
      row.end = start - 10;
    });
  }

  /** Show the values at a step (null hides them); returns them as one sentence. */
  drawCursor(step) {
    this.cursor = step;
    this.readout.hidden = step === null || !this.xRange;
    if (this.readout.hidden) {
      this.over.sweep();
      return "";
    }
    const x = this.toX(step);
    const rows = this.strips.flatMap((strip) => strip.valuesAt(step));
    this.over.use("line", "path", { class: "edu-cursor", d: `M${x.toFixed(1)} ${this.area.top}V${this.area.bottom}` });
    rows.filter((row) => !["kept", "floor"].includes(row.kind)).forEach((row, i) => {
      const place = { cx: row.x.toFixed(1), cy: row.y.toFixed(1), r: 4 };
      this.over.use(i, "circle", { class: `edu-dot edu-${row.role}`, ...place });
    });
    this.over.sweep();

    const changes = this.marks.filter((mark) => Math.abs(this.toX(mark.x) - x) < 5).map((mark) => mark.label);
    const place = `${formatPlace(step, this.xRange)} ${this.xLabel}`;
    this.readout.replaceChildren();
    html("div", "edu-readout-head", this.readout, [place, ...changes].join(" · "));
    for (const { kind, role, name, value } of rows.slice(0, MOST_ROWS)) {
      const row = html("div", `edu-readout-row edu-${role} edu-readout-${kind}`, this.readout);
      html("span", "", row, name);
      html("b", "", row, value);
    }
    const side = x < this.area.left + this.area.width / 2 ? "left" : "right";
    this.readout.style.left = side === "left" ? `${x + 12}px` : "auto";
    this.readout.style.right = side === "right" ? `${this.width - x + 12}px` : "auto";
    return [place, ...changes, ...rows.slice(0, MOST_ROWS).map(({ name, value }) => `${name} ${value}`)].join(", ");
  }

  /** Say in words what the chart shows now. */
  describe() {
    const parts = this.chart.strips.flatMap(({ label, unit, series, floor }, i) => {
      const { range } = this.strips[i];
      const ends = series.filter((one) => one.style !== "raw").flatMap((one) => {
        const end = lastPoint(one);
        if (!end) return [];
        const value = [one.name, formatValue(end.y, range), unit].filter(Boolean).join(" ");
        return [`${value} at ${formatPlace(end.x, this.xRange)} ${this.xLabel}`];
      });
      if (!ends.length) return [`${label}: nothing measured yet`];
      return floor && !floor.x ? [...ends, `dashed line at ${formatValue(floor.y, range)}: ${floor.label}`] : ends;
    });
    this.svg.setAttribute("aria-label", `${this.chart.title} Chart. ${parts.join("; ")}. Arrow keys read values.`);
  }

  /** Return the places the cursor can stand on: those of the longest curve. */
  places() {
    const curves = (this.chart?.strips ?? []).flatMap((strip) => [...strip.series, ...strip.kept]);
    return curves.reduce((longest, { x }) => (x.length > longest.length ? x : longest), []);
  }

  stepUnder(pixel) {
    if (!this.xRange) return null;
    const x = this.places();
    const step = this.xRange[0] + ((pixel - this.area.left) / this.area.width) * (this.xRange[1] - this.xRange[0]);
    return nearestPoint({ x, y: x }, step)?.x ?? null;
  }

  onKey(event, onCursor) {
    const x = this.places();
    const jump = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape") onCursor(null, true);
    if (jump === undefined || !x.length) return;
    event.preventDefault();
    const at = this.cursor === null ? x.length - 1 : x.indexOf(nearestPoint({ x, y: x }, this.cursor).x) + jump;
    onCursor(x[Math.max(0, Math.min(x.length - 1, at))], true);
  }
}

// A line chart: its subplots over a shared x axis, its cursor and what it says to a screen reader.

const CHART_HEIGHT = 232;
const TITLE_HEIGHT = 18;
const HEADER_HEIGHT = 24; // above each subplot: its label
const AXIS_HEIGHT = 22; // below the last subplot: the x ticks
const LABEL_HEIGHT = 15; // below the ticks: a label of x that is too long to stand beside the last tick
const MOST_UNIT = 8; // characters of a label of x that stands beside the last tick
const MOST_LABEL_SHARE = 0.36; // of the chart's width that end labels may take
const LABEL_WEIGHT = 600; // of end labels and titles, as in charts.css
const MOST_ROWS = 9; // of the readout
const DESCRIBE_EVERY = 2000; // ms between two descriptions of a chart, so that a screen reader can finish one

class LineChart {
  constructor(parent, tools, group) {
    this.tools = tools;
    this.group = group;
    this.box = html("div", "edu-chart", parent);
    this.root = new Layer(this.box, "svg");
    this.svg = this.root.node;
    this.under = new Layer(this.svg);
    this.subplots = [];
    this.subplotsNode = new Layer(this.svg).node;
    this.over = new Layer(this.svg);
    this.empty = html("p", "edu-empty", this.box);
    this.readout = html("div", "edu-readout", this.box);
    this.readout.hidden = true;
    this.cursor = null;
    this.describedAt = -Infinity;
    setAll(this.svg, { role: "img", tabindex: 0, height: CHART_HEIGHT, "data-lm-suppress-shortcuts": "true" });
    const { signal } = tools; // the attribute above: else JupyterLab takes the arrow keys for its cells
    signal.addEventListener("abort", () => clearTimeout(this.timer));
    const point = (x, byKeyboard) => group.point(this, x, byKeyboard);
    this.svg.addEventListener("pointermove", (event) => point(this.placeUnder(event.offsetX), false), { signal });
    this.svg.addEventListener("pointerleave", () => point(null, false), { signal });
    this.svg.addEventListener("blur", () => point(null, false), { signal });
    this.svg.addEventListener("keydown", (event) => this.onKey(event, point), { signal });
  }

  draw(chart, width) {
    const { ruler } = this.tools;
    const { range, whole } = this.group;
    Object.assign(this, { chart, width, xRange: range });
    this.group.charts.push(this);
    this.svg.setAttribute("width", width);
    while (this.subplots.length < chart.subplots.length) this.subplots.push(new Subplot(this.subplotsNode, ruler));
    while (this.subplots.length > chart.subplots.length) this.subplots.pop().node.remove();

    const isUnit = chart.xlabel.length <= MOST_UNIT;
    const axisHeight = AXIS_HEIGHT + (isUnit ? 0 : LABEL_HEIGHT);
    const room = CHART_HEIGHT - TITLE_HEIGHT - axisHeight;
    const height = Math.max(20, room / Math.max(1, chart.subplots.length) - HEADER_HEIGHT);
    const plans = chart.subplots.map((subplot, i) => this.subplots[i].plan(subplot, height, !range));
    const labels = plans.flatMap((plan) => plan.labels);
    const mostLabel = width * MOST_LABEL_SHARE;
    for (const label of labels) {
      label.width = ruler(`${label.name} ${label.value}`, LABEL_WEIGHT);
      if (label.width <= mostLabel) continue;
      const left = mostLabel - ruler(` ${label.value}`, LABEL_WEIGHT); // a name may be shortened, a value never
      label.name = fitText(label.name, left, ruler, LABEL_WEIGHT);
      label.width = mostLabel;
    }
    const left = Math.ceil(Math.max(24, ...plans.map((plan) => plan.tickWidth)) + 8);
    const least = labels.length || !chart.xlim ? 48 : 20;
    const right = Math.ceil(Math.max(least, ...labels.map((label) => label.width + LABEL_GAP + 4)));
    const [top, bottom] = [TITLE_HEIGHT + HEADER_HEIGHT, CHART_HEIGHT - axisHeight];
    this.area = { left, width: width - left - right, top, bottom };
    this.axis = new Axis(range ?? [0, 1], this.area.width, range ? chart.xscale : "linear");
    const ticks = range ? this.xTicks(whole) : [];
    plans.forEach((plan, i) => {
      const area = { ...this.area, top: top + i * (height + HEADER_HEIGHT), height };
      this.subplots[i].draw(plan, area, this.axis, ticks, (name) => this.group.dashOf(name));
    });
    this.under.use("title", "text", { class: "edu-title", x: 0, y: 13 }, chart.title);
    this.drawXTicks(ticks, isUnit);
    if (range) this.drawLines();
    this.under.sweep();
    this.drawCursor(this.cursor);
    this.empty.hidden = range !== null || !chart.empty;
    setText(this.empty, chart.empty);
    this.describeSoon();
  }

  toX(value) {
    return this.area.left + this.axis.at(value);
  }

  /** Return as many round places on the x axis as can be labelled with room between, or those that are given. */
  xTicks(whole) {
    const given = this.chart.xticks.map((value) => ({ value, text: shortNumber(value) }));
    for (let count = Math.floor(this.width / 80); ; count -= 1) {
      const ticks = given.length ? given : this.axis.ticks(count, whole);
      const widest = Math.max(0, ...ticks.map(({ text }) => this.tools.ruler(text)));
      const places = ticks.map(({ value }) => this.toX(value));
      const apart = Math.min(Infinity, ...places.slice(1).map((place, i) => place - places[i]));
      if (apart >= widest + 12 || count <= 1 || given.length) return ticks;
    }
  }

  /** Label the x axis: with a unit beside the last number, or with words below all of them. */
  drawXTicks(ticks, isUnit) {
    const { ruler } = this.tools;
    const { xlabel } = this.chart;
    const y = CHART_HEIGHT - 6 - (isUnit ? 0 : LABEL_HEIGHT);
    ticks.forEach(({ value, text }, i) => {
      const full = isUnit && i === ticks.length - 1 ? `${text} ${xlabel}` : text;
      const x = Math.min(this.toX(value) - ruler(text) / 2, this.width - ruler(full));
      this.under.use(`x ${value}`, "text", { class: "edu-tick", x: x.toFixed(1), y }, full);
    });
    if (isUnit) return;
    const middle = this.area.left + (this.area.width - ruler(xlabel)) / 2;
    const x = Math.max(0, Math.min(middle, this.width - ruler(xlabel)));
    this.under.use("x label", "text", { class: "edu-tick", x: x.toFixed(1), y: CHART_HEIGHT - 4 }, xlabel);
  }

  /**
   * Draw the vertical lines. Where the two rows above cannot hold all labels, that of a threshold or of a slider (one line over a
   * fixed range) stands beside its line, and the older changes of a run are left to the cursor.
   */
  drawLines() {
    const { ruler } = this.tools;
    const header = this.subplots[0]?.header ?? "";
    const rows = [
      { y: 13, start: (13 / 12) * ruler(this.chart.title, LABEL_WEIGHT) + 14, end: this.width },
      { y: TITLE_HEIGHT + HEADER_HEIGHT - 7, start: this.area.left + ruler(header, 500) + 10, end: this.width },
    ];
    this.chart.lines.toReversed().forEach(({ x: value, label }, i) => {
      if (value < this.xRange[0] || value > this.xRange[1]) return;
      const x = this.toX(value);
      const text = fitText(label, 180, ruler);
      const size = ruler(text);
      const place = (row) => Math.max(row.start, Math.min(x - size / 2, row.end - size));
      const row = rows.find((one) => place(one) <= x && place(one) + size >= x && place(one) + size <= one.end);
      const top = row ? row.y + 4 : TITLE_HEIGHT;
      this.under.use(`line ${i}`, "path", { class: "edu-line", d: `M${x.toFixed(1)} ${top}V${this.area.bottom}` });
      if (!row) {
        if (this.chart.lines.length > 1 || !this.chart.xlim) return;
        const start = x + 5 + size > this.area.left + this.area.width ? x - 5 - size : x + 5;
        this.under.use("line label 0", "text", { class: "edu-note", x: start.toFixed(1), y: this.area.top + 12 }, text);
        return;
      }
      const start = place(row);
      this.under.use(`line label ${i}`, "text", { class: "edu-note", x: start.toFixed(1), y: row.y }, text);
      row.end = start - 10;
    });
  }

  /** Show the values at x (null hides them); returns them as one sentence. */
  drawCursor(value) {
    this.cursor = value;
    this.readout.hidden = value === null || !this.xRange;
    if (this.readout.hidden) {
      this.over.sweep();
      return "";
    }
    const x = this.toX(value);
    const rows = this.subplots.flatMap((subplot) => subplot.valuesAt(value));
    this.over.use("line", "path", { class: "edu-cursor", d: `M${x.toFixed(1)} ${this.area.top}V${this.area.bottom}` });
    rows.filter((row) => !["pale", "floor"].includes(row.kind)).forEach((row, i) => {
      const place = { cx: row.x.toFixed(1), cy: row.y.toFixed(1), r: 4 };
      this.over.use(i, "circle", { class: `edu-dot edu-color-${row.color}`, ...place });
    });
    this.over.sweep();

    const { xlabel, lines } = this.chart;
    const crossed = lines.filter((line) => Math.abs(this.toX(line.x) - x) < 5).map((line) => line.label);
    const place = this.place(value, xlabel);
    this.readout.replaceChildren();
    html("div", "edu-readout-head", this.readout, [place, ...crossed].join(" · "));
    for (const { kind, color, name, value: text } of rows.slice(0, MOST_ROWS)) {
      const row = html("div", `edu-readout-row edu-color-${color} edu-readout-${kind}`, this.readout);
      html("span", "", row, name);
      html("b", "", row, text);
    }
    const side = x < this.area.left + this.area.width / 2 ? "left" : "right";
    this.readout.style.left = side === "left" ? `${x + 12}px` : "auto";
    this.readout.style.right = side === "right" ? `${this.width - x + 12}px` : "auto";
    return [place, ...crossed, ...rows.slice(0, MOST_ROWS).map(({ name, value: text }) => `${name} ${text}`)].join(", ");
  }

  /** Write a place on the x axis: "120 steps", or "temperature 0.5". */
  place(value, xlabel) {
    const number = this.chart.xscale === "log" ? shortNumber(value) : formatPlace(value, this.xRange);
    return xlabel.length <= MOST_UNIT ? `${number} ${xlabel}` : `${xlabel} ${number}`;
  }

  /** Refresh what the chart says in words, now or as soon as it may. */
  describeSoon() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.describedAt = performance.now();
      this.describe();
    }, Math.max(0, this.describedAt + DESCRIBE_EVERY - performance.now()));
  }

  /** Say in words what the chart shows now. */
  describe() {
    const parts = this.chart.subplots.flatMap(({ label, unit, curves, floor, yscale }, i) => {
      const write = (value) => this.subplots[i].write(value, this.subplots[i].range, yscale);
      const ends = curves.filter(({ style }) => !["raw", "pale"].includes(style)).flatMap((curve) => {
        const end = lastPoint(curve);
        if (!end) return [];
        const value = [curve.name || label, write(end.y), unit].filter(Boolean).join(" ");
        return [`${value} at ${this.place(end.x, this.chart.xlabel)}`];
      });
      if (!ends.length) return [`${label}: nothing measured yet`];
      return floor && !floor.x ? [...ends, `dashed line at ${write(floor.y)}: ${floor.label}`] : ends;
    });
    this.svg.setAttribute("aria-label", `${this.chart.title} Chart. ${parts.join("; ")}. Arrow keys read values.`);
  }

  /** Return the places the cursor can stand on: those of the longest curve. */
  places() {
    const curves = this.chart ? curvesOf([this.chart]) : [];
    return curves.reduce((longest, { x }) => (x.length > longest.length ? x : longest), []);
  }

  placeUnder(pixel) {
    if (!this.xRange) return null;
    const x = this.places();
    return nearestPoint({ x, y: x }, this.axis.value(pixel - this.area.left))?.x ?? null;
  }

  onKey(event, point) {
    const x = this.places();
    const jump = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10, Home: -Infinity, End: Infinity }[event.key];
    if (event.key === "Escape") point(null, true);
    if (jump === undefined || !x.length) return;
    event.preventDefault();
    const at = this.cursor === null ? x.length - 1 : x.indexOf(nearestPoint({ x, y: x }, this.cursor).x) + jump;
    point(x[Math.max(0, Math.min(x.length - 1, at))], true);
  }
}

// What line charts side by side share: the x axis, the cursor, and the legend of their pale curves.

const LEAST_STEPS = 20; // on an x axis that grows, so that the first steps do not chase it
const MOST_PALE = 4; // settings named in the legend of pale curves

/** Return all curves of some charts. */
function curvesOf(charts) {
  return charts.flatMap(({ subplots }) => subplots).flatMap(({ curves, bands }) => [...curves, ...bands]);
}

/** Return the x range that charts side by side share (null before the first point), and whether x counts steps. */
function sharedRange(charts) {
  const [{ xlim, xscale }] = charts;
  const curves = curvesOf(charts).filter((curve) => curve.x.length);
  if (!curves.length) return { range: null, whole: true };
  const ends = curves.map(({ x }) => [x[0], x[x.length - 1]]);
  const whole = !xlim && ends.every((pair) => pair.every(Number.isInteger));
  if (xlim) return { range: xlim, whole };
  if (xscale === "log") {
    const [low, high] = extent(curves.map(({ x }) => x), "log") ?? [1, 10];
    return { range: low < high ? [low / 1.05, high * 1.05] : [low / 2, high * 2], whole: false };
  }
  const first = Math.min(...ends.map(([start]) => start));
  const last = Math.max(...ends.map(([, end]) => end), whole ? LEAST_STEPS : 0);
  const start = first > last / 2 && last > first ? first : Math.min(0, first); // a run that goes on late begins late
  return { range: [start, last > 0 ? roundUp(last) : 1], whole };
}

/** Return the names of the pale curves, each once; a name's place here decides its dash in every subplot. */
function paleNames(charts) {
  return [...new Set(curvesOf(charts).filter(({ style }) => style === "pale").map(({ name }) => name))];
}

/** Line charts side by side: they share x axis and cursor, and one legend of their pale curves. */
class ChartGroup {
  constructor(parent) {
    this.charts = [];
    this.legend = html("ul", "edu-legend", parent);
    this.legend.setAttribute("aria-label", "Earlier curves");
    this.legend.hidden = true;
    this.spoken = html("p", "edu-hidden", parent);
    this.spoken.setAttribute("aria-live", "polite");
  }

  /** Decide what the charts that are about to be drawn share. */
  prepare(blocks) {
    this.charts = [];
    this.names = paleNames(blocks);
    Object.assign(this, sharedRange(blocks));
    this.drawLegend();
  }

  dashOf(name) {
    return this.names.indexOf(name) % MOST_PALE;
  }

  /** Move the cursor of all charts; moved by keyboard, the values of `chart` are read aloud. */
  point(chart, x, byKeyboard) {
    const sentences = this.charts.map((each) => each.drawCursor(x));
    if (byKeyboard) setText(this.spoken, sentences[this.charts.indexOf(chart)]);
  }

  drawLegend() {
    const names = this.names.slice(0, MOST_PALE);
    if (this.names.length > MOST_PALE) names.push(`and ${this.names.length - MOST_PALE} more`);
    const shown = names.join("\n");
    if (this.shown === shown) return;
    this.shown = shown;
    this.legend.replaceChildren();
    this.legend.hidden = !names.length;
    names.forEach((name, i) => {
      const item = html("li", "", this.legend);
      item.title = name;
      if (i < MOST_PALE) {
        const swatch = new Layer(item, "svg");
        swatch.node.setAttribute("class", "edu-swatch");
        swatch.use("line", "path", { class: `edu-pale edu-dash-${i} edu-color-neutral`, d: "M1 6h28" });
      }
      html("span", "", item, i < MOST_PALE ? `earlier: ${name}` : name);
    });
  }
}

// Part 5 of the live view: one frame in, one picture out. The schema of a frame is electra_edu/widgets/frame.py.

const CHART_GAP = 20;
const LEAST_CHART = 280; // px; a narrower view stacks its charts
const LEAST_STEPS = 20; // on the x axis, so that the first steps do not chase it
const MOST_KEPT = 4; // settings named in the legend of kept curves
const DESCRIBE_EVERY = 2000; // ms between two descriptions of the charts, so that a screen reader can finish one
const SIGNS = { learning: "↗", majority: "=", plateau: "→", starved: "↘", stopped: "×", idle: "…" };
const EMPTY_CHARTS = ["Losses", "Is it learning?"].map((title) => (
  { title, strips: [{ label: "", unit: "", role: "neutral", series: [], kept: [], floor: null, y_range: null }] }));

/** Return a frame with its curves unpacked and what is missing filled in. */
function readFrame(sent) {
  const charts = (sent.charts?.length ? sent.charts : EMPTY_CHARTS).map((chart) => ({
    ...chart,
    strips: chart.strips.map((strip) => ({
      ...strip,
      series: strip.series.map(unpackCurve),
      kept: strip.kept.map(unpackCurve),
      floor: strip.floor?.points ? unpackCurve(strip.floor) : strip.floor,
    })),
  }));
  return { marks: [], x_label: "steps", ...sent, charts };
}

/** Return the x range all charts share, or null before the first point. */
function stepRange(frame) {
  const curves = frame.charts.flatMap((chart) => chart.strips).flatMap((strip) => [...strip.series, ...strip.kept]);
  const ends = curves.filter((curve) => curve.x.length).map(({ x }) => [x[0], x[x.length - 1]]);
  if (!ends.length) return { range: null, whole: true };
  const whole = ends.every(([first, last]) => Number.isInteger(first) && Number.isInteger(last));
  const first = Math.min(...ends.map(([start]) => start));
  const last = Math.max(...ends.map(([, end]) => end), whole ? LEAST_STEPS : 0);
  const start = first > last / 2 && last > first ? first : Math.min(0, first); // a run that goes on late begins late
  const end = (frame.x_max ?? -Infinity) > start ? frame.x_max : last > 0 ? roundUp(last) : 1;
  return { range: [start, end], whole };
}

/** Return the settings of the kept curves, each once; a setting's place here decides its dash in every strip. */
function keptSettings(charts) {
  return [...new Set(charts.flatMap((chart) => chart.strips).flatMap((strip) => strip.kept).map(({ label }) => label))];
}

class View {
  constructor(model, el, signal) {
    this.model = model;
    this.root = html("div", "edu-panel edu-live", el);
    this.chartsBox = html("div", "edu-charts", this.root);
    this.empty = html("p", "edu-empty", this.chartsBox, "Press Train: the curves will grow here.");
    this.keptList = html("ul", "edu-kept-list", this.root);
    this.keptList.setAttribute("aria-label", "Kept curves");
    this.sentence = new SentenceStrip(this.root, () => model.send({ action: "new-sentence" }), signal);
    this.verdict = html("p", "edu-verdict", this.root);
    this.verdictSign = html("span", "edu-verdict-sign", this.verdict);
    this.verdictSign.setAttribute("aria-hidden", "true");
    this.verdictText = html("span", "", this.verdict);
    this.verdictText.setAttribute("role", "status");
    this.verdictText.setAttribute("aria-live", "polite");
    this.status = html("p", "edu-status", this.root);
    this.spoken = html("p", "edu-hidden", this.root);
    this.spoken.setAttribute("aria-live", "polite");
    this.charts = [];
    this.describedAt = -Infinity;
    this.signal = signal;
  }

  draw() {
    const available = this.chartsBox.clientWidth;
    if (!available) return; // not on the page yet: the resize observer calls again
    this.ruler ??= textRuler(getComputedStyle(this.root).fontFamily); // known only once the view is on the page
    const frame = readFrame(this.model.get("frame"));
    const fitting = Math.floor((available + CHART_GAP) / (LEAST_CHART + CHART_GAP));
    const columns = Math.max(1, Math.min(frame.charts.length, fitting));
    const width = Math.floor((available - CHART_GAP * (columns - 1)) / columns);
    const settings = keptSettings(frame.charts);
    const { range, whole } = stepRange(frame);
    const shared = { xRange: range, whole, marks: frame.marks, xLabel: frame.x_label,
      dashOf: (label) => settings.indexOf(label) % MOST_KEPT };
    while (this.charts.length > frame.charts.length) this.charts.pop().box.remove();
    frame.charts.forEach((chart, i) => {
      const onCursor = (step, byKeyboard) => this.point(i, step, byKeyboard);
      this.charts[i] ??= new Chart(this.chartsBox, this.ruler, onCursor, this.signal);
      this.charts[i].draw(chart, width, shared);
    });
    this.empty.hidden = range !== null;
    this.drawKept(settings);
    this.sentence.draw(frame.sentence);
    this.drawWords(frame);
    this.describe();
  }

  drawKept(settings) {
    const names = settings.slice(0, MOST_KEPT);
    if (settings.length > MOST_KEPT) names.push(`and ${settings.length - MOST_KEPT} more`);
    const shown = names.join("\n");
    if (this.keptShown === shown) return;
    this.keptShown = shown;
    this.keptList.replaceChildren();
    this.keptList.hidden = !names.length;
    names.forEach((name, i) => {
      const item = html("li", "", this.keptList);
      item.title = name;
      if (i < MOST_KEPT) {
        const swatch = new Layer(item, "svg");
        swatch.node.setAttribute("class", "edu-swatch");
        swatch.use("line", "path", { class: `edu-kept edu-dash-${i} edu-neutral`, d: "M1 6h28" });
      }
      html("span", "", item, i < MOST_KEPT ? `kept: ${name}` : name);
    });
  }

  drawWords({ verdict, status }) {
    this.verdict.hidden = !verdict;
    if (verdict) {
      const className = `edu-verdict edu-verdict-${verdict.kind}`;
      if (this.verdict.className !== className) this.verdict.className = className;
      setText(this.verdictSign, SIGNS[verdict.kind] ?? "·");
      setText(this.verdictText, verdict.text);
    }
    setText(this.status, status ?? "");
  }

  /** Refresh what the charts say in words, now or as soon as they may. */
  describe() {
    if (this.timer) return;
    this.timer = setTimeout(() => {
      this.timer = 0;
      this.describedAt = performance.now();
      for (const chart of this.charts) chart.describe();
    }, Math.max(0, this.describedAt + DESCRIBE_EVERY - performance.now()));
  }

  /** Move the cursor of all charts to a step; moved by keyboard, the values of chart `index` are read aloud. */
  point(index, step, byKeyboard) {
    const sentences = this.charts.map((chart) => chart.drawCursor(step));
    if (byKeyboard) setText(this.spoken, sentences[index]);
  }
}

function render({ model, el }) {
  const listeners = new AbortController();
  const view = new View(model, el, listeners.signal);
  let request = 0;
  const schedule = () => { // however many frames arrive, the screen shows the newest once per repaint
    request ||= requestAnimationFrame(() => {
      request = 0;
      view.draw();
    });
  };
  const observer = new ResizeObserver(schedule);
  observer.observe(view.root);
  model.on("change:frame", schedule);
  schedule();
  const end = keepNamed(el);
  return () => {
    end();
    model.off("change:frame", schedule);
    listeners.abort();
    observer.disconnect();
    cancelAnimationFrame(request);
    clearTimeout(view.timer);
  };
}

export default { render };

// The blocks of a panel: draws `blocks`, the same plain data that plots/layout.py draws with matplotlib. What the reader
// picks or presses travels back as a message {action, index}. A block that did not change keeps its elements, and with
// them the reader's focus; one that changes keeps them where its view can reuse them.

const GAP = 16; // px between blocks side by side
const LEAST_WIDTH = 280; // px of a block; a narrower panel stacks its rows
const VERDICT_SIGNS = { learning: "↗", majority: "=", plateau: "→", starved: "↘", stopped: "×", idle: "…" };

function drawFacts({ facts }, box) {
  const row = html("div", "edu-facts", box);
  for (const { value, label, color } of facts) {
    const item = html("p", `edu-color-${color}`, row);
    html("b", "", item, value);
    html("span", "", item, label);
  }
}

function drawText({ text, color }, box) {
  html("p", `edu-prose edu-color-${color}`, box, text);
}

function drawCode({ code }, box) {
  html("pre", "edu-code", box, code).tabIndex = 0;
}

function drawTable({ title, head, rows }, box) {
  const table = html("table", "edu-table", box);
  if (title) html("caption", "edu-block-title", table, title);
  const first = html("tr", "", html("thead", "", table));
  for (const name of head) html("th", "", first, name).scope = "col";
  const body = html("tbody", "", table);
  for (const cells of rows) {
    const row = html("tr", "", body);
    cells.forEach((cell, i) => {
      const node = html(i ? "td" : "th", "", row, cell);
      if (!i) node.scope = "row";
    });
  }
}

/** A block that is drawn anew when it changes. */
function redrawn(drawBlock) {
  return class {
    constructor(parent) {
      this.box = parent;
    }

    draw(block, width) {
      const text = JSON.stringify([block, width]);
      if (text === this.drawn) return;
      this.drawn = text;
      this.box.replaceChildren();
      drawBlock(block, this.box, width);
    }
  };
}

class Verdict {
  constructor(parent) {
    this.box = html("p", "", parent);
    this.sign = html("span", "edu-verdict-sign", this.box);
    this.sign.setAttribute("aria-hidden", "true");
    this.text = setAll(html("span", "", this.box), { role: "status", "aria-live": "polite" });
  }

  draw({ state, text }) {
    const className = `edu-verdict edu-verdict-${state}`;
    if (this.box.className !== className) this.box.className = className;
    setText(this.sign, VERDICT_SIGNS[state]);
    setText(this.text, text);
  }
}

class Status {
  constructor(parent) {
    this.box = html("p", "edu-status", parent);
  }

  draw({ text }) {
    setText(this.box, text);
  }
}

/** Blocks side by side. Line charts with the same label of x share their axis and their cursor. */
class Row {
  constructor(parent, tools) {
    this.parent = parent;
    this.groups = new Map();
    const groupOf = ({ xlabel }) => this.groups.get(xlabel);
    this.slots = new Slots(html("div", "edu-row", parent), tools, groupOf);
  }

  draw({ blocks }, width) {
    const columns = Math.max(1, Math.min(blocks.length, Math.floor((width + GAP) / (LEAST_WIDTH + GAP))));
    const charts = blocks.filter(({ kind }) => kind === "LineChart");
    for (const label of new Set(charts.map(({ xlabel }) => xlabel))) {
      if (!this.groups.has(label)) this.groups.set(label, new ChartGroup(this.parent));
      this.groups.get(label).prepare(charts.filter(({ xlabel }) => xlabel === label));
    }
    this.slots.draw(blocks, Math.floor((width - GAP * (columns - 1)) / columns));
  }
}

const VIEWS = {
  Row,
  LineChart,
  Tokens,
  Verdict,
  Status,
  Facts: redrawn(drawFacts),
  Text: redrawn(drawText),
  Code: redrawn(drawCode),
  Table: redrawn(drawTable),
  BarChart: redrawn(drawBarChart),
  Histogram: redrawn(drawHistogram),
  IntervalChart: redrawn(drawIntervalChart),
  HeatMap: redrawn(drawHeatMap),
  Squares: redrawn(drawSquares),
};

/** A list of blocks, each with a view that stays as long as the block in its place is of the same kind. */
class Slots {
  constructor(parent, tools, groupOf = null) {
    Object.assign(this, { parent, tools, groupOf, slots: [] });
  }

  draw(blocks, width) {
    blocks.forEach((block, i) => {
      const key = block.kind === "LineChart" ? `${block.kind} ${block.xlabel}` : block.kind;
      if (this.slots[i]?.key !== key) {
        const box = html("div", "edu-block", this.parent);
        this.slots[i]?.box.replaceWith(box);
        this.slots[i] = { key, box, view: new VIEWS[block.kind](box, this.tools, this.groupOf?.(block)) };
      }
      if (this.groupOf) this.slots[i].box.style.width = `${width}px`;
      this.slots[i].view.draw(block, width);
    });
    for (const { box } of this.slots.splice(blocks.length)) box.remove();
  }
}

function render({ model, el }) {
  const listeners = new AbortController();
  const root = html("div", "edu-panel edu-blocks", el);
  root.setAttribute("role", "group"); // no landmark: a lesson may have two panels of one name
  root.dataset.lmSuppressShortcuts = "true"; // else JupyterLab takes Enter and Space from the words
  let slots = null;
  let width = 0; // unknown until the view is on the page
  let request = 0;
  let isStale = false;
  const draw = () => {
    slots ??= new Slots(root, {
      send: (message) => model.send(message),
      signal: listeners.signal,
      ruler: textRuler(getComputedStyle(root).fontFamily),
    });
    root.setAttribute("aria-label", model.get("name"));
    const blocks = unpack(model.get("blocks"));
    slots.draw(blocks.map((block) => (block.kind === "LineChart" ? { kind: "Row", blocks: [block] } : block)), width);
  };
  const update = () => { // at once; however often blocks then change, the newest are drawn at the next repaint
    isStale = request !== 0;
    if (isStale || !width) return;
    draw();
    request = requestAnimationFrame(() => {
      request = 0;
      if (isStale) update();
    });
  };
  const observer = new ResizeObserver(([{ contentRect }]) => {
    if (Math.floor(contentRect.width) === width) return;
    width = Math.floor(contentRect.width);
    update();
  });
  observer.observe(root);
  model.on("change:blocks", update);
  const end = keepNamed(el);
  return () => {
    end();
    model.off("change:blocks", update);
    listeners.abort();
    observer.disconnect();
    cancelAnimationFrame(request);
  };
}

export default { render };

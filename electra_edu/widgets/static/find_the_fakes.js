// The panel of FindTheFakes: draws `view` and `progress`, sets `accused`, and asks Python for the rest by messages.

const SVG = "http://www.w3.org/2000/svg";
const SIGNS = { found: "✓", missed: "○", wrong: "✗" };
const MEANINGS = { found: "fake, found", missed: "fake, missed", wrong: "true word, wrongly accused" };
const SPARK = { width: 150, height: 30 };
const BUSY_AFTER = 700; // ms without an answer, after which the panel says that the kernel is busy

/** Append an element; text from data only ever arrives as textContent. */
function add(parent, tag, className = "", text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  parent.append(node);
  return node;
}

function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Group words with the punctuation behind them, so that no line starts with a full stop. */
function groups(words) {
  const found = [];
  words.forEach((word, index) => {
    if (word.is_word || !found.length) found.push([]);
    found.at(-1).push({ ...word, index });
  });
  return found;
}

class Panel {
  constructor(model, el) {
    this.model = model;
    this.root = add(el, "section", "edu-panel edu-fakes");
    this.root.setAttribute("aria-label", "Find the fakes, a word game");
    const heard = add(this.root, "div"); // read aloud when it changes
    heard.setAttribute("role", "status");
    this.headline = add(heard, "p", "edu-fakes-headline");
    this.hint = add(heard, "p", "edu-fakes-hint");
    this.story = add(this.root, "div", "edu-fakes-story");
    this.below = add(this.root, "div", "edu-fakes-below");
    this.error = add(this.root, "p", "edu-fakes-error");
    this.error.setAttribute("role", "alert");
    const bar = add(this.root, "div", "edu-fakes-bar");
    this.buttons = add(bar, "div", "edu-fakes-buttons");
    this.rule = add(bar, "p", "edu-fakes-rule");
    this.score = add(this.root, "p", "edu-fakes-score");
  }

  /** Draw a view from scratch; it changes only when a phase does. */
  drawView() {
    const view = this.model.get("view");
    const hadFocus = this.root.contains(document.activeElement);
    clearTimeout(this.waiting);
    this.root.dataset.phase = view.phase;
    setText(this.headline, view.headline ?? "");
    setText(this.hint, view.hint ?? "");
    setText(this.error, view.error ?? "");
    setText(this.rule, view.rule ?? "");
    this.story.replaceChildren();
    this.below.replaceChildren();
    this.buttons.replaceChildren();
    this.score.replaceChildren();
    for (const line of view.score ?? []) add(this.score, "span", "", line);
    const draw = { playing: this.drawPlaying, revealed: this.drawRevealed, training: this.drawTraining, broken: this.drawBroken };
    draw[view.phase]?.call(this, view);
    if (hadFocus) (this.story.querySelector("button") ?? this.buttons.querySelector("button"))?.focus();
  }

  drawPlaying(view) {
    this.words = this.drawWords(view.words, (slot, word) => {
      const button = add(slot, "button", "edu-fakes-word", word.text);
      button.type = "button";
      button.addEventListener("click", () => this.toggle(word.index));
      return button;
    });
    this.addButton("Check", "check", true);
    this.drawAccused();
  }

  drawRevealed(view) {
    this.drawWords(view.words, (slot, word) => {
      const box = add(slot, "span", `edu-fakes-word edu-fakes-${word.you || "true"}`, word.text);
      if (word.you) this.addSign(slot, "edu-fakes-yours", "you", word.you);
      if (word.machine) this.addSign(slot, "edu-fakes-machines", "discriminator", word.machine);
      return box;
    });
    this.drawNotes(view);
    this.addButton(view.versus ? "Next story" : view.train, view.versus ? "next" : "train", true);
    this.addButton(view.versus ? view.train : "Another story", view.versus ? "train" : "next", false);
  }

  drawNotes(view) {
    const key = add(this.below, "p", "edu-fakes-key");
    for (const state of Object.keys(SIGNS)) {
      const item = add(key, "span");
      add(item, "b", `edu-fakes-sign edu-fakes-${state}`, SIGNS[state]);
      item.append(` ${MEANINGS[state]}`);
    }
    if (view.versus) add(key, "span", "edu-fakes-sides", "above a word: you · below: the discriminator");
    const list = add(this.below, "ul", "edu-fakes-notes");
    for (const note of view.notes) {
      const item = add(list, "li");
      const sign = add(item, "b", `edu-fakes-sign edu-fakes-${note.state}`, SIGNS[note.state]);
      sign.setAttribute("role", "img");
      sign.setAttribute("aria-label", MEANINGS[note.state]);
      const text = add(item, "span");
      add(text, "b", "", note.fake);
      text.append(" instead of ");
      add(text, "i", "", note.truth);
      add(item, "span", "edu-fakes-odds", note.odds);
      add(item, "span", "edu-fakes-odds", note.machine);
      if (note.fits) add(item, "span", "edu-fakes-fits", "It could stand there just as well: nobody can tell.");
    }
  }

  drawTraining() {
    this.words = null;
    const clock = add(this.below, "div", "edu-fakes-clock");
    this.meter = add(clock, "div", "edu-fakes-meter");
    this.meter.setAttribute("role", "progressbar");
    this.meter.setAttribute("aria-label", "Training");
    this.meterFill = add(this.meter, "div", "edu-fakes-meter-fill");
    this.clock = add(clock, "span");
    this.metrics = ["generator", "discriminator"].map((role) => this.addMetric(role));
    this.addButton("Stop", "stop", false);
    this.watched = "";
    this.drawProgress();
  }

  drawBroken() {
    this.addButton("Try again", "next", true);
  }

  addMetric(role) {
    const box = add(this.below, "div", `edu-fakes-metric edu-fakes-${role}`);
    const value = add(box, "b");
    const label = add(box, "span");
    const picture = document.createElementNS(SVG, "svg");
    picture.setAttribute("viewBox", `0 0 ${SPARK.width} ${SPARK.height}`);
    picture.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(SVG, "path");
    picture.append(line);
    box.append(picture);
    return { value, label, line };
  }

  drawProgress() {
    const progress = this.model.get("progress");
    if (this.root.dataset.phase !== "training" || !progress.metrics) return;
    this.meterFill.style.transform = `scaleX(${progress.fraction})`;
    this.meter.setAttribute("aria-valuenow", Math.round(100 * progress.fraction));
    setText(this.clock, progress.clock);
    const words = JSON.stringify(progress.words);
    if (words !== this.watched) {
      this.watched = words;
      this.story.replaceChildren();
      this.drawWords(progress.words, (slot, word) => add(slot, "span", `edu-fakes-word${word.fake ? " edu-fakes-written" : ""}`, word.text));
    }
    progress.metrics.forEach((metric, i) => {
      setText(this.metrics[i].value, metric.value);
      setText(this.metrics[i].label, metric.label);
      this.metrics[i].line.setAttribute("d", sparkline(metric.curve));
    });
  }

  /** Lay out a story; `make(slot, word)` fills the slot of one word. Returns what it made, by the index of the word. */
  drawWords(words, make) {
    const made = new Map();
    for (const [word, ...rest] of groups(words)) {
      const group = add(this.story, "span", "edu-fakes-group");
      made.set(word.index, make(add(group, "span", "edu-fakes-slot"), word));
      for (const { text } of rest) add(group, "span", "edu-fakes-punctuation", text);
      this.story.append(" ");
      if (rest.some(({ text }) => text === ".")) add(this.story, "br");
    }
    return made;
  }

  addSign(slot, className, who, state) {
    const sign = add(slot, "span", `edu-fakes-sign ${className} edu-fakes-${state}`, SIGNS[state]);
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", ` (${who}: ${MEANINGS[state]}) `);
    sign.title = `${who}: ${MEANINGS[state]}`;
  }

  addButton(text, action, primary) {
    const button = add(this.buttons, "button", `edu-fakes-button${primary ? " edu-fakes-primary" : ""}`, text);
    button.type = "button";
    button.addEventListener("click", () => {
      this.model.send({ action });
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => setText(this.rule, "Python is busy with another cell: one moment."), BUSY_AFTER);
    });
  }

  /** Accuse a word or take it back; shown at once, even while the kernel works on another cell. */
  toggle(index) {
    const accused = this.model.get("accused");
    this.model.set("accused", accused.includes(index) ? accused.filter((other) => other !== index) : [...accused, index]);
    this.model.save_changes();
  }

  drawAccused() {
    if (this.root.dataset.phase !== "playing") return;
    const accused = this.model.get("accused");
    for (const [index, button] of this.words) button.setAttribute("aria-pressed", accused.includes(index));
  }
}

/** Draw a curve over the whole box; its range is its own, as only the shape matters here. */
function sparkline(values) {
  if (values.length < 2) return "";
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const x = (i) => 2 + (i / (values.length - 1)) * (SPARK.width - 4);
  const y = (value) => 3 + (1 - (value - low) / span) * (SPARK.height - 6);
  return "M" + values.map((value, i) => `${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("L");
}

function render({ model, el }) {
  const panel = new Panel(model, el);
  const drawn = { "change:view": () => panel.drawView(), "change:progress": () => panel.drawProgress(), "change:accused": () => panel.drawAccused() };
  for (const [event, draw] of Object.entries(drawn)) model.on(event, draw);
  panel.drawView();
  return () => {
    for (const [event, draw] of Object.entries(drawn)) model.off(event, draw);
    clearTimeout(panel.waiting);
  };
}

export default { render };

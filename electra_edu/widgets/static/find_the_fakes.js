// The panel of FindTheFakes: draws `view` and `progress`, sets `accused`, and asks Python for the rest by messages.

const SVG = "http://www.w3.org/2000/svg";
const SIGNS = { found: "✓", missed: "○", wrong: "✗" };
const MEANINGS = { found: "fake, found", missed: "fake, missed", wrong: "true word, wrongly accused" };
const SPARK = { width: 150, height: 30 };
const PATIENCE = 700; // ms without an answer before the reader is told that the kernel is busy

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
  words.forEach((word, place) => {
    if (word.is_word || !found.length) found.push([]);
    found.at(-1).push({ ...word, place });
  });
  return found;
}

class Panel {
  constructor(model, el) {
    this.model = model;
    this.root = add(el, "section", "edu-panel edu-hunt");
    this.root.setAttribute("aria-label", "Find the fakes, a word game");
    const heard = add(this.root, "div"); // read aloud when it changes
    heard.setAttribute("role", "status");
    this.headline = add(heard, "p", "edu-hunt-headline");
    this.hint = add(heard, "p", "edu-hunt-hint");
    this.story = add(this.root, "div", "edu-hunt-story");
    this.below = add(this.root, "div", "edu-hunt-below");
    this.error = add(this.root, "p", "edu-hunt-error");
    this.error.setAttribute("role", "alert");
    const bar = add(this.root, "div", "edu-hunt-bar");
    this.buttons = add(bar, "div", "edu-hunt-buttons");
    this.rule = add(bar, "p", "edu-hunt-rule");
    this.score = add(this.root, "p", "edu-hunt-score");
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
    const draw = { hunt: this.drawHunt, revealed: this.drawRevealed, training: this.drawTraining, broken: this.drawBroken };
    draw[view.phase]?.call(this, view);
    if (hadFocus) (this.story.querySelector("button") ?? this.buttons.querySelector("button"))?.focus();
  }

  drawHunt(view) {
    this.words = this.drawWords(view.words, (slot, word) => {
      const button = add(slot, "button", "edu-hunt-word", word.text);
      button.type = "button";
      button.addEventListener("click", () => this.toggle(word.place));
      return button;
    });
    this.addButton("Check", "check", true);
    this.drawAccused();
  }

  drawRevealed(view) {
    this.drawWords(view.words, (slot, word) => {
      const box = add(slot, "span", `edu-hunt-word edu-hunt-${word.you || "true"}`, word.text);
      if (word.you) this.addSign(slot, "edu-hunt-yours", "you", word.you);
      if (word.machine) this.addSign(slot, "edu-hunt-machines", "discriminator", word.machine);
      return box;
    });
    this.drawNotes(view);
    this.addButton(view.versus ? "Next story" : view.train, view.versus ? "next" : "train", true);
    this.addButton(view.versus ? view.train : "Another story", view.versus ? "train" : "next", false);
  }

  drawNotes(view) {
    const key = add(this.below, "p", "edu-hunt-key");
    for (const state of Object.keys(SIGNS)) {
      const item = add(key, "span");
      add(item, "b", `edu-hunt-sign edu-hunt-${state}`, SIGNS[state]);
      item.append(` ${MEANINGS[state]}`);
    }
    if (view.versus) add(key, "span", "edu-hunt-sides", "above a word: you · below: the discriminator");
    const list = add(this.below, "ul", "edu-hunt-notes");
    for (const note of view.notes) {
      const item = add(list, "li");
      const sign = add(item, "b", `edu-hunt-sign edu-hunt-${note.state}`, SIGNS[note.state]);
      sign.setAttribute("role", "img");
      sign.setAttribute("aria-label", MEANINGS[note.state]);
      const text = add(item, "span");
      add(text, "b", "", note.fake);
      text.append(" instead of ");
      add(text, "i", "", note.truth);
      add(item, "span", "edu-hunt-odds", note.odds);
      add(item, "span", "edu-hunt-odds", note.machine);
      if (note.fits) add(item, "span", "edu-hunt-fits", "It could stand there just as well: nobody can tell.");
    }
  }

  drawTraining() {
    this.words = null;
    const clock = add(this.below, "div", "edu-hunt-clock");
    this.meter = add(clock, "div", "edu-hunt-meter");
    this.meter.setAttribute("role", "progressbar");
    this.meter.setAttribute("aria-label", "Training");
    this.meterFill = add(this.meter, "div", "edu-hunt-meter-fill");
    this.clock = add(clock, "span");
    this.figures = ["generator", "discriminator"].map((role) => this.addFigure(role));
    this.addButton("Stop", "stop", false);
    this.watched = "";
    this.drawProgress();
  }

  drawBroken() {
    this.addButton("Try again", "next", true);
  }

  addFigure(role) {
    const box = add(this.below, "div", `edu-hunt-figure edu-hunt-${role}`);
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
    if (this.root.dataset.phase !== "training" || !progress.figures) return;
    this.meterFill.style.transform = `scaleX(${progress.fraction})`;
    this.meter.setAttribute("aria-valuenow", Math.round(100 * progress.fraction));
    setText(this.clock, progress.clock);
    const words = JSON.stringify(progress.words);
    if (words !== this.watched) {
      this.watched = words;
      this.story.replaceChildren();
      this.drawWords(progress.words, (slot, word) => add(slot, "span", `edu-hunt-word${word.fake ? " edu-hunt-written" : ""}`, word.text));
    }
    progress.figures.forEach((figure, i) => {
      setText(this.figures[i].value, figure.value);
      setText(this.figures[i].label, figure.label);
      this.figures[i].line.setAttribute("d", sparkline(figure.curve));
    });
  }

  /** Lay out a story; `make(slot, word)` fills the slot of one word. Returns what it made, by place. */
  drawWords(words, make) {
    const made = new Map();
    for (const [word, ...rest] of groups(words)) {
      const group = add(this.story, "span", "edu-hunt-group");
      made.set(word.place, make(add(group, "span", "edu-hunt-slot"), word));
      for (const mark of rest) add(group, "span", "edu-hunt-mark", mark.text);
      this.story.append(" ");
      if (rest.some(({ text }) => text === ".")) add(this.story, "br");
    }
    return made;
  }

  addSign(slot, className, who, state) {
    const sign = add(slot, "span", `edu-hunt-sign ${className} edu-hunt-${state}`, SIGNS[state]);
    sign.setAttribute("role", "img");
    sign.setAttribute("aria-label", ` (${who}: ${MEANINGS[state]}) `);
    sign.title = `${who}: ${MEANINGS[state]}`;
  }

  addButton(text, action, primary) {
    const button = add(this.buttons, "button", `edu-hunt-button${primary ? " edu-hunt-primary" : ""}`, text);
    button.type = "button";
    button.addEventListener("click", () => {
      this.model.send({ action });
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => setText(this.rule, "Python is busy with another cell: one moment."), PATIENCE);
    });
  }

  /** Accuse a word or take it back; shown at once, even while the kernel works on another cell. */
  toggle(place) {
    const accused = this.model.get("accused");
    this.model.set("accused", accused.includes(place) ? accused.filter((other) => other !== place) : [...accused, place]);
    this.model.save_changes();
  }

  drawAccused() {
    if (this.root.dataset.phase !== "hunt") return;
    const accused = this.model.get("accused");
    for (const [place, button] of this.words) button.setAttribute("aria-pressed", accused.includes(place));
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

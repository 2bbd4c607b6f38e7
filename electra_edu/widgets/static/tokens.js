// Part 4 of the live view: one sentence as the discriminator reads it.

const CAUGHT_FROM = 0.5; // the discriminator calls a token replaced from this probability on
const STATES = { // sign and words: colour alone would leave some readers out
  caught: ["✓", "caught"],
  missed: ["✗", "missed"],
  accused: ["!", "wrongly accused"],
  fine: ["", "original"],
};

/** Return which of the four cases a token is. */
function tokenState({ probability, original }) {
  const accused = probability !== null && probability >= CAUGHT_FROM;
  if (original !== null) return accused ? "caught" : "missed";
  return accused ? "accused" : "fine";
}

class SentenceStrip {
  constructor(parent, onNew, signal) {
    this.box = html("div", "edu-sentence", parent);
    this.box.setAttribute("role", "group");
    this.box.setAttribute("aria-label", "A sentence judged by the discriminator");
    const head = html("div", "edu-sentence-head", this.box);
    this.caption = html("span", "edu-caption", head);
    const key = html("span", "edu-key", head);
    for (const state of ["caught", "missed", "accused"]) {
      const [sign, meaning] = STATES[state];
      html("b", `edu-sign edu-${state}`, html("span", "", key), sign).after(` ${meaning}`);
    }
    this.button = html("button", "edu-button", head, "New sentence");
    this.button.type = "button";
    this.button.addEventListener("click", onNew, { signal });
    this.list = html("ul", "edu-tokens", this.box);
    this.words = "";
    this.boxes = [];
  }

  /** Show a sentence; null hides the strip. */
  draw(sentence) {
    this.box.hidden = !sentence;
    if (!sentence) return;
    setText(this.caption, sentence.caption);
    const words = JSON.stringify(sentence.tokens.map((token) => [token.text, token.word_start, token.original]));
    if (words !== this.words) this.build(sentence.tokens);
    this.words = words;
    sentence.tokens.forEach((token, i) => this.paint(this.boxes[i], token));
  }

  /** Make a box per token; the pieces of a word stand in one group. */
  build(tokens) {
    this.list.replaceChildren();
    let word = null;
    this.boxes = tokens.map((token) => {
      const joins = token.text.startsWith("##") || token.word_start === false;
      if (!word || !joins) word = html("li", "edu-word", this.list);
      const box = html("span", "edu-token", word);
      html("span", "edu-token-text", box, token.text.replace(/^##(?=.)/, ""));
      const foot = html("span", "edu-token-foot", box);
      const sign = html("b", "edu-sign", foot);
      const share = html("span", "", foot);
      const hint = html("span", "edu-hidden", foot);
      return { box, sign, share, hint };
    });
  }

  paint({ box, sign, share, hint }, token) {
    const state = tokenState(token);
    const [mark, meaning] = STATES[state];
    const isLucky = token.masked && token.original === null;
    const guess = isLucky ? "; was masked, and the generator guessed the true word" : "";
    const truth = token.original === null ? "" : `true word: ${token.original}; `;
    const hintText = `${truth}${meaning}${guess}`;
    const className = `edu-token edu-${state}${token.masked ? " edu-masked" : ""}`;
    if (box.className !== className) box.className = className;
    if (box.title !== hintText) box.title = hintText;
    box.style.setProperty("--edu-suspicion", `${Math.round(45 * (token.probability ?? 0))}%`);
    setText(sign, mark);
    setText(share, token.probability === null ? "–" : `${Math.round(100 * token.probability)}%`);
    setText(hint, state === "fine" && !guess ? "" : `, ${hintText}`);
  }
}

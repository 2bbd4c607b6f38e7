// A line of words with what is known about them: signs, bars, shades and notes; they may be buttons.

class Tokens {
  constructor(parent, { send, signal }) {
    this.send = send;
    this.box = html("div", "edu-tokens", parent);
    this.head = html("div", "edu-tokens-head", this.box);
    this.title = html("p", "edu-block-title", this.head);
    this.key = html("p", "edu-key", this.head);
    this.button = html("button", "edu-button", this.head);
    this.button.type = "button";
    this.button.addEventListener("click", () => send({ action: this.block.button, index: 0 }), { signal });
    this.list = html("div", "edu-words", this.box);
    this.parts = [];
  }

  /** Show the tokens. Where their words stay, their elements stay too, and with them focus and tooltips. */
  draw(block) {
    this.block = block;
    setText(this.title, block.title);
    this.title.className = block.button ? "edu-caption" : "edu-block-title";
    setText(this.button, block.button);
    this.button.hidden = !block.button;
    this.drawKey(block.key);
    const { tokens, pick } = block;
    const words = JSON.stringify([pick, tokens.map((token) => [token.text, token.continues, token.is_plain])]);
    if (words !== this.words) this.build(tokens, pick);
    this.words = words;
    const has = { sign: tokens.some(({ sign }) => sign), note: tokens.some(({ note }) => note) };
    tokens.forEach((token, i) => this.paint(this.parts[i], token, has));
  }

  drawKey(key) {
    const shown = JSON.stringify(key);
    if (shown === this.shownKey) return;
    this.shownKey = shown;
    this.key.replaceChildren();
    for (const [color, sign, meaning] of key) {
      const item = html("span", "", this.key);
      html("b", `edu-sign edu-color-${color}`, item, sign);
      item.append(` ${meaning}`);
    }
  }

  /** Make an element per token; those that continue a word stand in one group with it. */
  build(tokens, pick) {
    const focused = this.parts.findIndex(({ node }) => node === document.activeElement);
    this.list.replaceChildren();
    let word = null;
    this.parts = tokens.map((token, index) => {
      const isButton = Boolean(pick) && !token.is_plain;
      if (!word || !token.continues) word = html("span", "edu-word", this.list);
      const node = html(isButton ? "button" : "span", "", word);
      const sign = html("b", "edu-sign", node);
      html("span", "edu-text", node, token.text);
      const bar = html("span", "edu-bar", node);
      const filled = html("span", "", bar);
      const note = html("span", "edu-token-note", node);
      const hint = isButton ? null : html("span", "edu-hidden", node);
      if (isButton) {
        node.type = "button";
        node.addEventListener("click", () => this.send({ action: this.block.pick, index }));
      }
      return { node, sign, bar, filled, note, hint, isButton };
    });
    this.parts[focused]?.node.focus();
  }

  paint({ node, sign, bar, filled, note, hint, isButton }, token, has) {
    const className = `edu-token edu-color-${token.color}${token.tint === null ? "" : " edu-tinted"}`;
    if (node.className !== className) node.className = className;
    if (node.title !== token.about) node.title = token.about;
    sign.hidden = !has.sign;
    setText(sign, token.sign);
    bar.hidden = token.level === null;
    filled.style.width = `${Math.round(100 * (token.level ?? 0))}%`;
    note.hidden = !has.note;
    setText(note, token.note);
    if (token.tint !== null) node.style.setProperty("--edu-tint", `${Math.round(45 * token.tint)}%`);
    if (hint) setText(hint, token.about && `, ${token.about}`);
    if (!isButton) return;
    node.setAttribute("aria-pressed", token.pressed);
    if (token.about) node.setAttribute("aria-label", `${token.text}. ${token.about}`);
  }
}

// Elements and texts. block_view.py joins this and the files it names into one module.

const SVG = "http://www.w3.org/2000/svg";

/** Append an HTML element; text from data only ever arrives as textContent. */
function html(tag, className, parent, text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  parent.append(node);
  return node;
}

/** Write text only where it changed: an untouched node keeps its tooltip and is not read aloud again. */
function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** A group of SVG elements, each known by a key and kept from drawing to drawing, so that nothing flickers. */
class Layer {
  constructor(parent, tag = "g") {
    this.node = document.createElementNS(SVG, tag);
    this.known = new Map();
    this.used = new Set();
    parent.append(this.node);
  }

  /** Create or reuse the element of this key, and write only the attributes that changed. */
  use(key, tag, attributes, text) {
    if (!this.known.has(key)) {
      const node = document.createElementNS(SVG, tag);
      this.node.append(node);
      this.known.set(key, { node, written: {} });
    }
    const { node, written } = this.known.get(key);
    for (const [name, value] of Object.entries(attributes)) {
      if (written[name] !== value) node.setAttribute(name, (written[name] = value));
    }
    if (text !== undefined && written.text !== text) node.textContent = written.text = text;
    this.used.add(key);
    return node;
  }

  /** Remove the elements that were not used since the last sweep. */
  sweep() {
    for (const [key, { node }] of this.known) {
      if (!this.used.has(key)) {
        node.remove();
        this.known.delete(key);
      }
    }
    this.used.clear();
  }
}

/** Return a function (text, weight) → width in pixels at 12 px, without asking the page for a layout. */
function textRuler(fontFamily) {
  const pen = document.createElement("canvas").getContext("2d");
  const known = new Map();
  return (text, weight = 400) => {
    const shape = weight + text.replace(/\d/g, "0"); // figures are equally wide: no jitter as values change
    if (!known.has(shape)) {
      pen.font = `${weight} 12px ${fontFamily}`;
      known.set(shape, pen.measureText(text).width);
    }
    return known.get(shape);
  };
}

/** Shorten text to a width, with an ellipsis. */
function fitText(text, width, ruler, weight) {
  if (ruler(text, weight) <= width) return text;
  let end = text.length - 1;
  while (end > 1 && ruler(text.slice(0, end) + "…", weight) > width) end -= 1;
  return text.slice(0, end).trimEnd() + "…";
}

/** Write each attribute of an element. */
function setAll(node, attributes) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

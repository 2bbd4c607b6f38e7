// The header of a lesson: reading level, progress, and what the terms and sources in the lesson's text mean.

const LINKS = "a.edu-term, a.edu-claim";
const RANK = { curious: 0, student: 1, expert: 2 };
const NAMES = {
  curious: "underlines every term that the lesson explains",
  student: "underlines what a student of machine learning may not know",
  expert: "underlines the rarest terms only, and opens the fine print",
};

function add(parent, tag, className = "", text = "") {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  parent.append(node);
  return node;
}

let count = 0; // for ids that are unique in the page

/** A small box beside a link that says what it means; one per header. */
class Popover {
  constructor(id) {
    this.node = add(document.body, "div", "edu-panel edu-popover");
    this.node.id = id;
    this.node.setAttribute("role", "tooltip");
    this.node.hidden = true;
    this.link = null;
  }

  show(link, text) {
    if (this.link !== link) this.hide();
    this.link = link;
    if (link.title) {
      link.dataset.eduTitle = link.title; // else the browser's own tooltip says it a second time
      link.removeAttribute("title");
    }
    link.setAttribute("aria-describedby", this.node.id);
    this.node.textContent = text;
    this.node.hidden = false;
    const at = link.getBoundingClientRect();
    const box = this.node.getBoundingClientRect();
    const left = Math.max(8, Math.min(at.left, innerWidth - box.width - 8));
    const below = at.bottom + 6;
    const top = below + box.height < innerHeight ? below : Math.max(8, at.top - box.height - 6);
    this.node.style.left = `${left}px`;
    this.node.style.top = `${top}px`;
  }

  hide() {
    this.node.hidden = true;
    this.link?.removeAttribute("aria-describedby");
    if (this.link?.dataset.eduTitle) this.link.title = this.link.dataset.eduTitle;
    this.link = null;
  }
}

function render({ model, el }) {
  const name = `edu-header-${(count += 1)}`;
  const root = add(el, "section", "edu-panel edu-header");
  root.setAttribute("aria-label", "About this lesson");
  add(root, "span", "edu-header-about", model.get("about"));
  const group = add(root, "fieldset");
  add(group, "legend", "", "Reading as");
  const choices = Object.keys(RANK).map((level) => {
    const label = add(group, "label");
    label.title = NAMES[level];
    const input = add(label, "input");
    Object.assign(input, { type: "radio", name, value: level });
    label.append(level);
    input.addEventListener("change", () => {
      model.set("level", level);
      model.save_changes();
    });
    return input;
  });
  // On the window, before JupyterLab's own listener: it takes the arrow keys to go to the next cell
  const arrow = (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const place = choices.indexOf(event.target);
    if (!step || place < 0) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const next = choices.at((place + step) % choices.length);
    next.focus();
    next.click();
  };
  window.addEventListener("keydown", arrow, true);
  const done = add(root, "span", "edu-header-done");
  done.setAttribute("role", "status");

  // The page: the notebook that holds this header
  const style = add(document.head, "style");
  const popover = new Popover(`${name}-popover`);
  let page = null;
  const opened = new WeakSet();
  const explained = (link) => model.get("explanations")[link.getAttribute("href")?.split("#").at(-1)];
  const over = (event) => {
    const link = event.target.closest?.(LINKS);
    if (link && explained(link)) popover.show(link, explained(link));
  };
  const out = (event) => {
    if (event.target.closest?.(LINKS) === popover.link && document.activeElement !== popover.link) popover.hide();
  };
  const blur = () => popover.hide();
  const click = (event) => {
    const link = event.target.closest?.(LINKS);
    if (!link || !explained(link)) return;
    event.preventDefault();
    event.stopPropagation();
    link.focus();
    popover.show(link, explained(link));
  };
  const key = (event) => {
    if (event.key === "Escape" && popover.link) {
      popover.hide();
      event.stopPropagation();
    }
  };
  const listeners = [["mouseover", over], ["mouseout", out], ["focusin", over], ["focusout", blur], ["click", click], ["keydown", key], ["scroll", blur]];

  /** Open the fine print that has come into the page since, once: what the reader closes stays closed. */
  const openDetails = () => {
    const isExpert = model.get("level") === "expert";
    for (const details of page?.querySelectorAll("details.edu-expert") ?? []) {
      if (opened.has(details)) continue;
      opened.add(details);
      if (isExpert) details.open = true;
    }
  };
  const watcher = new MutationObserver(openDetails);

  const update = () => {
    const level = model.get("level");
    for (const input of choices) input.checked = input.value === level;
    done.textContent = model.get("done");
    const plain = Object.entries(model.get("levels")).filter(([, most]) => RANK[most] < RANK[level]);
    const scope = `[data-edu-header="${name}"]`;
    style.textContent = plain.map(([term]) => `${scope} a.edu-term[href$="#term-${term}"]`).join(", ");
    style.textContent += plain.length ? " { text-decoration: none !important; cursor: inherit; }" : "";
  };
  const changeLevel = () => {
    update();
    for (const details of page?.querySelectorAll("details.edu-expert") ?? []) {
      opened.add(details);
      details.open = model.get("level") === "expert";
    }
  };
  model.on("change:done change:levels", update);
  model.on("change:level", changeLevel);
  update();
  const entering = requestAnimationFrame(() => {
    page = el.closest(".jp-Notebook, .jp-NotebookPanel") ?? document.body;
    page.dataset.eduHeader = name;
    for (const [event, listener] of listeners) page.addEventListener(event, listener, true);
    watcher.observe(page, { childList: true, subtree: true });
    openDetails();
  });
  return () => {
    cancelAnimationFrame(entering);
    window.removeEventListener("keydown", arrow, true);
    watcher.disconnect();
    for (const [event, listener] of listeners) page?.removeEventListener(event, listener, true);
    if (page?.dataset.eduHeader === name) delete page.dataset.eduHeader;
    popover.hide();
    popover.node.remove();
    style.remove();
    model.off("change:done change:levels", update);
    model.off("change:level", changeLevel);
  };
}

export default { render };

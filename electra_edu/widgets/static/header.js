// The header of a lesson: reading level, progress, and what the terms and claims in the lesson's text mean.

const LINKS = "a.edu-term, a.edu-claim";
const FINE_PRINT = "details.edu-expert";
const LEVELS = ["curious", "student", "expert"];
const ABOUT = {
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

/** Add the radio buttons that set the model's level; return them. */
function addLevels(root, model, name) {
  const group = add(root, "fieldset");
  add(group, "legend", "", "Reading as");
  return LEVELS.map((level) => {
    const label = add(group, "label");
    label.title = ABOUT[level];
    const input = add(label, "input");
    Object.assign(input, { type: "radio", name, value: level });
    label.append(level);
    input.addEventListener("change", () => {
      model.set("level", level);
      model.save_changes();
    });
    return input;
  });
}

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

/** The notebook that holds a header: explains the links in its text, and opens the fine print for experts. */
class Page {
  constructor(page, model, name) {
    Object.assign(this, { page, model, name });
    this.popover = new Popover(`${name}-popover`);
    this.style = add(document.head, "style");
    this.seen = new WeakSet(); // fine print that was opened or left closed already
    this.listeners = {
      mouseover: (event) => this.explain(event),
      focusin: (event) => this.explain(event),
      mouseout: (event) => {
        const { link } = this.popover;
        if (event.target.closest?.(LINKS) === link && document.activeElement !== link) this.popover.hide();
      },
      focusout: () => this.popover.hide(),
      scroll: () => this.popover.hide(),
      click: (event) => {
        const link = this.explain(event);
        if (!link) return;
        event.preventDefault();
        event.stopPropagation();
        link.focus();
        this.explain(event); // the focus may have come from another link, whose loss of it hides the box
      },
      keydown: (event) => {
        if (event.key !== "Escape" || !this.popover.link) return;
        this.popover.hide();
        event.stopPropagation();
      },
    };
    page.dataset.eduHeader = name;
    for (const [event, listener] of Object.entries(this.listeners)) page.addEventListener(event, listener, true);
    this.watcher = new MutationObserver(() => this.openFinePrint());
    this.watcher.observe(page, { childList: true, subtree: true });
    this.underline();
    this.openFinePrint();
  }

  /** Show what the link at an event means; return the link, if there is one that has an explanation. */
  explain(event) {
    const link = event.target.closest?.(LINKS);
    const text = link && this.model.get("explanations")[link.getAttribute("href")?.split("#").at(-1)];
    if (!text) return null;
    this.popover.show(link, text);
    return link;
  }

  /** Underline only the terms that a reader of this level may not know. */
  underline() {
    const rank = LEVELS.indexOf(this.model.get("level"));
    const known = Object.entries(this.model.get("levels")).filter(([, most]) => LEVELS.indexOf(most) < rank);
    const links = known.map(([term]) => `[data-edu-header="${this.name}"] a.edu-term[href$="#term-${term}"]`);
    this.style.textContent = links.length ? `${links.join(", ")} { text-decoration: none !important; cursor: inherit; }` : "";
  }

  /** Open for experts the fine print that has come into the page since, once: what the reader closes stays closed. */
  openFinePrint() {
    for (const details of this.page.querySelectorAll(FINE_PRINT)) {
      if (this.seen.has(details)) continue;
      this.seen.add(details);
      if (this.model.get("level") === "expert") details.open = true;
    }
  }

  changeLevel() {
    this.underline();
    for (const details of this.page.querySelectorAll(FINE_PRINT)) {
      this.seen.add(details);
      details.open = this.model.get("level") === "expert";
    }
  }

  remove() {
    this.watcher.disconnect();
    for (const [event, listener] of Object.entries(this.listeners)) this.page.removeEventListener(event, listener, true);
    if (this.page.dataset.eduHeader === this.name) delete this.page.dataset.eduHeader;
    this.popover.hide();
    this.popover.node.remove();
    this.style.remove();
  }
}

function render({ model, el }) {
  const name = `edu-header-${(count += 1)}`;
  const root = add(el, "section", "edu-panel edu-header");
  root.setAttribute("aria-label", "About this lesson");
  add(root, "span", "edu-header-about", model.get("about"));
  const inputs = addLevels(root, model, name);
  const endKeys = moveByArrowKeys(".edu-header fieldset");
  const done = add(root, "span", "edu-header-done");
  done.setAttribute("role", "status");
  let page = null;

  const showDone = () => {
    done.textContent = model.get("done");
  };
  const showLevel = () => {
    for (const input of inputs) input.checked = input.value === model.get("level");
    page?.changeLevel();
  };
  model.on("change:done", showDone);
  model.on("change:level", showLevel);
  showDone();
  showLevel();
  // In the next frame the header lies in its notebook
  const entering = requestAnimationFrame(() => {
    page = new Page(el.closest(".jp-Notebook, .jp-NotebookPanel") ?? document.body, model, name);
  });
  return () => {
    cancelAnimationFrame(entering);
    endKeys();
    page?.remove();
    model.off("change:done", showDone);
    model.off("change:level", showLevel);
  };
}

export default { render };

// Copy settings and Show code: the text comes from Python, the clipboard needs a click in the page.

const COPIED_MS = 1600;

async function copy(text, button, fallback) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied ✓";
  } catch {
    fallback(); // no clipboard here (an http page on another host): show the text, selected
    button.textContent = "Press Ctrl+C";
  }
  setTimeout(() => { button.textContent = label; }, COPIED_MS);
}

function render({ model, el }) {
  el.classList.add("edu-code-drawer");
  const make = (tag, className, text = "") => {
    const node = document.createElement(tag);
    node.className = className;
    node.textContent = text;
    return node;
  };
  const copySettings = make("button", "edu-copy-settings", "Copy settings");
  const showCode = make("button", "edu-show-code", "Show code");
  const settings = make("code", "edu-settings");
  const code = make("pre", "edu-code");
  code.tabIndex = 0;
  code.hidden = true;
  showCode.setAttribute("aria-expanded", "false");

  const select = (node) => getSelection().selectAllChildren(node);
  copySettings.addEventListener("click", () => copy(model.get("settings"), copySettings, () => select(settings)));
  showCode.addEventListener("click", () => {
    code.hidden = !code.hidden;
    showCode.textContent = code.hidden ? "Show code" : "Hide code";
    showCode.setAttribute("aria-expanded", String(!code.hidden));
  });

  const update = () => {
    settings.textContent = model.get("settings");
    code.textContent = model.get("code");
    copySettings.hidden = settings.hidden = !model.get("settings");
    showCode.hidden = !model.get("code");
  };
  model.on("change:settings change:code", update);
  update();
  const row = make("div", "edu-code-row");
  row.append(copySettings, settings, showCode);
  el.append(row, code);
  return () => model.off("change:settings change:code", update);
}

export default { render };

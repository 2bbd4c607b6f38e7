// Arrow keys in groups of radio buttons. Those of core widgets carry no common name, so that a browser sees no group.
const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

/** Let arrow keys move in the groups that match a selector; return a function that ends it. */
function moveByArrowKeys(groups) {
  const move = (event) => {
    const step = STEPS[event.key];
    const group = event.target.closest?.(groups);
    if (!step || !group || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    event.stopImmediatePropagation(); // several panels listen
    const buttons = [...group.querySelectorAll("input")];
    const next = buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
  };
  // On the window, before JupyterLab's own listener, which takes the arrow keys to go to the next cell
  window.addEventListener("keydown", move, true);
  return () => window.removeEventListener("keydown", move, true);
}

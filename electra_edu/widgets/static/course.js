// Arrow keys in core radio buttons: these carry no common name, so that a browser sees no group to move in, and
// JupyterLab would take the key to go to the next cell. Heard on the window, before JupyterLab hears it.
const STEPS = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };

function move(event) {
  const step = STEPS[event.key];
  const group = event.target.closest?.(":is(.edu-quiz, .edu-prediction) .widget-radio-box");
  if (!step || !group || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  event.stopImmediatePropagation(); // also where another panel listens too
  const buttons = [...group.querySelectorAll("input")];
  const next = buttons[(buttons.indexOf(event.target) + step + buttons.length) % buttons.length];
  next.focus();
  next.click();
}

export default {
  render({ el }) {
    el.style.display = "none";
    window.addEventListener("keydown", move, true);
    const end = keepNamed(el);
    return () => {
      window.removeEventListener("keydown", move, true);
      end();
    };
  },
};

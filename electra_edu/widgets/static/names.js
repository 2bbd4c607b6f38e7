// Core radio buttons and sliders say neither what they are for nor, where a slider chooses among values, which one is
// chosen. A screen reader gets the question or the label beside them, and the value as it stands there.
const PANELS = ".edu-quiz, .edu-prediction, .edu-instrument, .edu-training-lab";

function nameControls(panel) {
  for (const control of panel.querySelectorAll(".widget-radio-box, .noUi-handle")) {
    const slider = control.closest(".widget-slider");
    const label = control.closest(".edu-question, .edu-prediction")?.querySelector("b") ?? slider?.querySelector(".widget-label");
    const value = slider?.querySelector(".widget-readout")?.textContent;
    if (!slider) control.setAttribute("role", "radiogroup");
    if (label) control.setAttribute("aria-label", label.textContent);
    if (value) control.setAttribute("aria-valuetext", value);
  }
}

/** Name the controls of the panel that `el` is in, whenever one comes or moves; return what ends this. */
function keepNamed(el) {
  const changes = { childList: true, characterData: true, subtree: true };
  let panel = null; // unknown until the panel is in the page; from then on nothing else is watched
  const watch = new MutationObserver(() => {
    if (!panel && (panel = el.closest(PANELS))) {
      watch.disconnect();
      watch.observe(panel, changes);
    }
    if (panel) nameControls(panel);
  });
  watch.observe(document.body, changes);
  return () => watch.disconnect();
}

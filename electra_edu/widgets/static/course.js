// What the core widgets of quizzes, predictions and the map need in a page; shows nothing itself.

export default {
  render({ el }) {
    el.style.display = "none";
    const ends = [moveByArrowKeys(":is(.edu-quiz, .edu-prediction) .widget-radio-box"), keepNamed(el)];
    return () => ends.forEach((end) => end());
  },
};

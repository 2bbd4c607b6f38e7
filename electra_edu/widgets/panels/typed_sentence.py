"""TypedSentence: the discriminator's verdict on every word of a sentence that the learner types."""

import math

from electra_edu.corpora.unknown_words import nearest_words
from electra_edu.course.vocabulary import ordinary_words, token_names
from electra_edu.evaluation.detection import detect_words
from electra_edu.evaluation.detection.source import discriminator_of
from electra_edu.plots.blocks import Block, Fact, Facts, Text, Token, Tokens
from electra_edu.plots.charts import Color
from electra_edu.support import arguments
from electra_edu.training import TrainingRun
from electra_edu.widgets.parts.code import run_lines
from electra_edu.widgets.parts.instrument import Instrument, require_run
from electra_edu.widgets.parts.knobs import Button, Slider, TextField

THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
N_SUGGESTIONS = 36  # known words to try
MIN_LETTERS = 5  # of a fake; short words ("the", "near") make dull ones


class TypedSentence(Instrument):
    """A line of text with the probability that each word was replaced; words above the threshold are accused."""

    def __init__(self, run: TrainingRun, text: str | None = None) -> None:
        """Begin with `text`, by default the first held-out story with one word swapped.

        Raises ElectraEduError where `run` has no discriminator.
        """
        require_run(run)
        discriminator_of(run)
        text = None if text is None else arguments.text("text", text)
        self.run, self.story = run, 0
        self._n_swaps = 0
        # The sentence that a swap left, and a note on which of its words is the fake
        self._swapped = ("", "")
        self.text = TextField("sentence", self._with_a_fake(self._story_text()) if text is None else text)
        self.threshold = Slider("accuse above", THRESHOLDS, 0.5, "{:.0%}".format)
        self.next = Button("Another story", "Put another held-out story there", self._next_story)
        self.swap = Button("Swap one word", "Replace one word by a word of another story", self._swap)
        super().__init__("Your own sentence", [[self.text], [self.threshold, self.next, self.swap]])

    def blocks(self) -> list[Block]:
        """Return the words with their probabilities, how many are accused, and what to do about unknown ones."""
        words = detect_words(self.run, self.text.value)
        limit = self.threshold.value
        made, unknown = [], []
        for word in words:
            if math.isnan(word.probability):
                unknown.append(word.word)
                made.append(Token(word.word, "?", "?", "neutral", None, "not in the vocabulary: no probability"))
            else:
                accused = word.probability > limit
                note = f"{word.probability:.0%}"
                about = f"{note} replaced{', accused' if accused else ''}"
                if accused:
                    made.append(Token(word.word, note, "!", "discriminator", word.probability, about))
                else:
                    made.append(Token(word.word, note, level=word.probability, about=about))
        n_accused = sum(token.sign == "!" for token in made)
        known = [token for token in made if token.level is not None]
        likeliest = max(known, key=lambda token: token.level or 0.0, default=None)
        facts = [Fact(f"{n_accused} of {len(words)}", f"words accused, above {limit:.0%}", "discriminator")]
        if likeliest is not None:
            facts.append(Fact(f"“{likeliest.text}”", f"is suspected most: {likeliest.note}"))
        key: tuple[tuple[Color, str, str], ...] = (("discriminator", "!", "accused"),)
        if unknown:
            key += (("neutral", "?", "unknown: no probability"),)
        title = f"The verdicts after {self.run.step} training steps: the probability that each word was replaced"
        shown: list[Block] = [Tokens(tuple(made), title, key=key), Facts(tuple(facts))]
        if self.text.value == self._swapped[0]:
            shown.append(Text(self._swapped[1]))
        if unknown:
            shown.append(Text(self._advice(unknown), "warning"))
        shown.append(Text(f"Words it knows, for example: {', '.join(self._suggestions())}.", "neutral"))
        return shown

    def code(self) -> list[str]:
        """Return calls that train such a run and give the same probabilities."""
        return [
            *run_lines(self.run),
            f"for each in edu.detection.detect_words(run, {self.text.value!r}):",
            "    print(each.word, f'{each.probability:.0%}')",
        ]

    def _next_story(self) -> None:
        self.story = (self.story + 1) % len(self.run.corpus.heldout)
        self.text.show(self._story_text())

    def _swap(self) -> None:
        self.text.show(self._with_a_fake(self.text.value))

    def _advice(self, unknown: list[str]) -> str:
        word = unknown[0]
        near = nearest_words(self.run.corpus.tokenizer, word)
        offer = f" Spelled most like it: {', '.join(near)}." if near else ""
        return f"“{word}” is not among the {self.run.corpus.vocab_size} tokens that these networks know.{offer}"

    def _suggestions(self) -> list[str]:
        """Return words of the corpus, spread evenly over its vocabulary."""
        corpus = self.run.corpus
        names = zip(token_names(corpus), ordinary_words(corpus).tolist(), strict=True)
        whole = [name for name, is_word in names if is_word and not name.startswith("##")]
        return whole[:: max(1, len(whole) // N_SUGGESTIONS)][:N_SUGGESTIONS]

    def _story_text(self) -> str:
        return self.run.corpus.text(self.run.corpus.heldout[self.story])

    def _with_a_fake(self, text: str) -> str:
        """Return `text` with one word replaced by a longer one of another story, and remember which.

        A text that is too short, or holds all those words already, comes back as it is.
        """
        words = text.split()
        self._n_swaps += 1
        donor = self.run.corpus.text(self.run.corpus.heldout[self._n_swaps % len(self.run.corpus.heldout)])
        others = [word for word in donor.split() if word.isalpha() and len(word) >= MIN_LETTERS and word not in words]
        if len(words) < 3 or not others:
            return text
        position = 1 + self._n_swaps % (len(words) - 2)
        fake = others[self._n_swaps % len(others)]
        note = f"“{fake}” stands where “{words[position]}” was."
        words[position] = fake
        self._swapped = (" ".join(words), note)
        return self._swapped[0]

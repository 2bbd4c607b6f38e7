"""MaskedModel: hide words of a story, and see how a masked language model fills them in."""

from torch import Tensor

from electra_edu.corpora.corpus import SPECIAL_TOKENS
from electra_edu.course.fill_mask import exact_probabilities, masked_logits
from electra_edu.course.vocabulary import ordinary_words, token_names
from electra_edu.model.generator import Generator
from electra_edu.plots.blocks import Block, Fact, Facts, Row, Table, Text, Token, Tokens
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.parts.code import run_lines
from electra_edu.widgets.parts.instrument import Instrument
from electra_edu.widgets.parts.knobs import Button
from electra_edu.widgets.parts.word_bars import word_bars

TOP = 5
FIRST_HIDDEN = 4  # index, among the words of a story, of the one that is hidden at first


class MaskedModel(Instrument):
    """A held-out story whose words can be hidden: the model's best guesses for one of them, beside the language's own.

    `hidden` are the positions of the hidden words, `selected` is the one whose guesses are shown.
    """

    def __init__(self, run: TrainingRun) -> None:
        """Ask the averaged generator of `run`; raises ElectraEduError where it has none that was trained."""
        if not isinstance(run, TrainingRun) or not isinstance(run.average.generator, Generator):
            raise ElectraEduError(
                "run: must be a TrainingRun with a learned generator, for example "
                "edu.TrainingRun(edu.preset('toy', objective='bert'), corpus)."
            )
        self.run, self.story = run, 0
        self._names, self._is_word = token_names(run.corpus), ordinary_words(run.corpus)
        self.hidden: list[int] = []
        self.selected: int | None = None
        self._hide_first()
        self.next = Button("Next story", "Show another held-out story", self._next_story)
        self.none = Button("Show all words", "Hide no word any more", self._show_all)
        super().__init__("A masked language model at work", [[self.next, self.none]])

    def blocks(self) -> list[Block]:
        """Return the story, the guesses for the selected word, and how good they are for all hidden words."""
        tokens = self._tokens()
        words = self._words(tokens)
        if self.selected is None:
            return [words, Text("Click a word to hide it: the model then guesses it from the words that are left.")]
        guesses = masked_logits(self.run, tokens, self.hidden).softmax(-1)  # (n_hidden, V)
        exact = exact_probabilities(self.run.corpus, tokens, self.hidden)
        slot = self.hidden.index(self.selected)
        true = int(tokens[self.selected])
        title = f"Word {slot + 1}: the five likeliest words"
        best = guesses[slot].topk(TOP).indices.tolist()
        of_language = None if exact is None else exact[slot]
        bars = word_bars(title, self._names, "the model", guesses[slot], of_language, true, best)
        rank = int((guesses[slot] > guesses[slot][true]).sum()) + 1
        rows = []
        for i, hidden in enumerate(self.hidden):
            top, truth = int(guesses[i].argmax()), int(tokens[hidden])
            sign = "✓" if top == truth else "✗"
            rows.append((self._names[truth], f"{sign} {self._names[top]}", f"{guesses[i][truth]:.0%}"))
        table = Table(("hidden word", "best guess", "given to the true one"), tuple(rows[:8]), "All hidden words")
        shown = len(self.hidden)
        facts = Facts(
            (
                Fact(f"{shown} of {int(self._is_word[tokens].sum())}", "words carry a loss now", "generator"),
                Fact(f"no. {rank}", f"of {len(self._names)} guesses is the true word, “{self._names[true]}”"),
            )
        )
        return [words, facts, Row((bars, table))]

    def code(self) -> list[str]:
        """Return calls that train such a model and ask it the same."""
        if self.selected is None:
            return []
        return [
            *run_lines(self.run),
            f"tokens = corpus.heldout[{self.story} : {self.story + 1}].to(run.device, copy=True)",
            f"tokens[0, {self.hidden}] = config.mask_token_id",
            f"chances = run.average.generator(tokens, tokens != config.pad_token_id)[0, {self.selected}].softmax(-1)",
            "print(*(f'{corpus.tokenizer.id_to_token(int(word))} {chance:.0%}'"
            f" for chance, word in zip(*chances.topk({TOP}))), sep='\\n')",
        ]

    def picked(self, action: str, index: int) -> None:
        """Hide the word at this position of the story, or show it again."""
        position = index + 1  # the view leaves [CLS] out
        tokens = self._tokens()
        if action != "hide" or not 0 < position < len(tokens) or not self._is_word[tokens[position]]:
            return
        if position in self.hidden:
            self.hidden.remove(position)
            self.selected = self.hidden[-1] if self.hidden else None
        else:
            self.hidden = sorted({*self.hidden, position})
            self.selected = position

    def _next_story(self) -> None:
        self.story = (self.story + 1) % len(self.run.corpus.heldout)
        self._hide_first()

    def _show_all(self) -> None:
        self.hidden, self.selected = [], None

    def _words(self, tokens: Tensor) -> Tokens:
        made = []
        for position in range(1, len(tokens)):
            token = int(tokens[position])
            if token < len(SPECIAL_TOKENS):  # [SEP] and padding
                break
            name, is_hidden = self._names[token], position in self.hidden
            if not self._is_word[token]:
                made.append(Token(name, about="punctuation, never hidden here", is_plain=True))
            else:
                about = "hidden; press to show it" if is_hidden else "press to hide it"
                if is_hidden:
                    is_selected = position == self.selected
                    made.append(
                        Token("[MASK]", str(self.hidden.index(position) + 1), "", "generator", None, about, is_selected)
                    )
                else:
                    made.append(Token(name, about=about))
        return Tokens(
            tuple(made), "A story the model has never read. Click words to hide them, or to show them again.", "hide"
        )

    def _tokens(self) -> Tensor:
        return self.run.corpus.heldout[self.story].cpu()  # (T,)

    def _hide_first(self) -> None:
        tokens = self._tokens()
        ordinary = [position for position in range(1, len(tokens)) if self._is_word[tokens[position]]]
        self.hidden = [ordinary[min(FIRST_HIDDEN, len(ordinary) - 1)]]
        self.selected = self.hidden[0]

"""MaskExplorer: which words of a text are hidden, and how many, by a fixed count and by tossing coins."""

import torch
from torch import Tensor

from electra_edu.config import masked_positions, preset
from electra_edu.corpora.corpus import SPECIAL_TOKENS, Corpus
from electra_edu.corpora.encoding import encode_typed
from electra_edu.model.masking import choose_positions, is_ordinary
from electra_edu.plots.blocks import Block, Fact, Facts, Token, Tokens
from electra_edu.plots.charts import Histogram, Series
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.parts.code import corpus_line
from electra_edu.widgets.parts.instrument import Instrument
from electra_edu.widgets.parts.knobs import Button, Menu, Slider, TextField

RATES = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30, 0.40, 0.50, 0.75)
RULES = {"a fixed count": "count", "a coin for each word": "coins"}
N_DRAWS = 2000  # in the histogram
N_PADDING = 2  # [PAD] tokens shown behind the text
MAX_TOKENS = 60
EXAMPLE = "the cook in the kitchen talks to the girl beside the kettle . he stirs two thick stews ."


class MaskExplorer(Instrument):
    """A text of the learner's own with some of its words hidden, and how the number of hidden words varies."""

    def __init__(self, corpus: Corpus, text: str = EXAMPLE) -> None:
        """Cut `text` into the tokens of `corpus`; raises ElectraEduError where that is no corpus."""
        if not isinstance(corpus, Corpus):
            arguments.refuse("corpus", corpus, "a Corpus, for example edu.load_corpus('toy')")
        text = arguments.text("text", text)
        self.corpus, self.seed = corpus, 0
        self.text = TextField("text", text)
        self.mask_prob = Slider("mask rate", RATES, 0.15, "{:.0%}".format)
        self.rule = Menu("chosen by", RULES, width="260px")
        self.again = Button("Draw again", "Choose other words to hide", self._draw_again)
        super().__init__("What is hidden?", [[self.text], [self.mask_prob, self.rule, self.again]])

    def blocks(self) -> list[Block]:
        """Return the text with its hidden words, the counts, and a histogram of the count over many draws."""
        words, ordinary = self._read()
        n, rate = int(ordinary.sum()), self.mask_prob.value
        counts = {rule: self._choose(ordinary.expand(N_DRAWS, -1), rule).sum(-1) for rule in RULES.values()}
        hidden = self._choose(ordinary[None], self.rule.value)[0]
        made = []
        for word, is_hidden, may in zip(words, hidden.tolist(), ordinary.tolist(), strict=True):
            if is_hidden:
                made.append(Token("[MASK]", note=word, sign="●", color="generator", about=f"hidden: {word}"))
            elif may:
                made.append(Token(word))
            else:
                made.append(Token(word, sign="–", color="neutral", about="never hidden"))
        none = (1 - rate) ** n
        facts = Facts(
            (
                Fact(f"{int(hidden.sum())} of {n}", f"words hidden: {int(hidden.sum()) / n:.0%}", "generator"),
                Fact(
                    str(masked_positions(n, rate)), f"is {rate:.0%} of {n} ({rate * n:.4g}), rounded: the fixed count"
                ),
                Fact(
                    f"{none:.2%}" if none >= 0.0001 else "under 0.01%",
                    "of texts like this have nothing hidden if a coin decides",
                    "warning",
                ),
            )
        )
        most = max(int(count.max()) for count in counts.values())
        shares = {rule: torch.bincount(count, minlength=most + 1) / N_DRAWS for rule, count in counts.items()}
        histogram = Histogram(
            f"Hidden words in {N_DRAWS:,} draws",
            tuple(i - 0.5 for i in range(most + 2)),
            (
                Series("a fixed count", tuple(shares["count"].tolist()), "generator"),
                Series("a coin for each word", tuple(shares["coins"].tolist()), "warning", True),
            ),
            "hidden words in a text",
            "share of draws",
        )
        read = Tokens(
            tuple(made),
            "What the generator reads",
            key=(("generator", "●", "hidden from the generator"), ("neutral", "–", "special, never hidden")),
        )
        return [read, facts, histogram]

    def code(self) -> list[str]:
        """Return calls that hide the same words of the same text."""
        by_rule = {
            "count": "edu.masking.mask(tokens, config, rng).is_masked",
            "coins": f"(torch.rand(tokens.shape, generator=rng) < {self.mask_prob.value:g})"
            " & edu.masking.is_ordinary(tokens, config)",
        }
        return [
            "import torch",
            "import electra_edu as edu",
            "",
            corpus_line(self.corpus),
            f"config = edu.preset('toy', mask_prob={self.mask_prob.value:g})",
            f"ids = edu.corpora.encode_typed(corpus.tokenizer, {self.text.value.strip()!r}).ids",
            f"tokens = torch.tensor([[config.cls_token_id, *ids, config.sep_token_id{', 0' * N_PADDING}]])",
            f"rng = torch.Generator().manual_seed({self.seed})",
            f"hidden = {by_rule[self.rule.value]}",
            "print(hidden.nonzero()[:, 1].tolist())  # places, [CLS] is 0",
        ]

    def _draw_again(self) -> None:
        self.seed += 1

    def _read(self) -> tuple[list[str], Tensor]:
        """Return the tokens as they are shown, special ones included, and which of them may be hidden: (T,) bool."""
        text = self.text.value.strip()
        encoding = encode_typed(self.corpus.tokenizer, text)
        if not encoding.ids:
            raise ElectraEduError(
                "text: there is no word in it. Type a sentence, for example: the cook stirs the stew ."
            )
        if len(encoding.ids) > MAX_TOKENS:
            raise ElectraEduError(
                f"text: it has {len(encoding.ids)} tokens; at most {MAX_TOKENS} fit here. Take a shorter one."
            )
        words = [  # what was typed, where the corpus does not know it
            text[start:end] if token == "[UNK]" else token
            for token, (start, end) in zip(encoding.tokens, encoding.offsets, strict=True)
        ]
        config = preset("toy")
        ids = [config.cls_token_id, *encoding.ids, config.sep_token_id, *[config.pad_token_id] * N_PADDING]
        shown = [SPECIAL_TOKENS[2], *words, SPECIAL_TOKENS[3], *[SPECIAL_TOKENS[0]] * N_PADDING]
        return shown, is_ordinary(torch.tensor([ids]), config)[0]

    def _choose(self, ordinary: Tensor, rule: str) -> Tensor:
        """Choose positions of each row by a rule: (N, T) bool for (N, T) bool."""
        rng = torch.Generator().manual_seed(self.seed)
        if rule == "coins":
            heads = torch.rand(ordinary.shape, generator=rng) < float(self.mask_prob.value)
            return heads & ordinary
        positions, used = choose_positions(ordinary, self.mask_prob.value, rng)
        return torch.zeros_like(ordinary).scatter(-1, positions, used)

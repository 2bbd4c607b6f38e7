"""The toy corpus: stories drawn from the toy grammar, with a word-level tokenizer and labels."""

import hashlib

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from electra_edu.corpora.corpus import IGNORE, SPECIAL_TOKENS, Corpus
from electra_edu.corpora.toy.grammar import ToyGrammar, toy_grammar
from electra_edu.corpora.toy.slots import PARTS_OF_SPEECH
from electra_edu.support.errors import CorpusError


def make_toy_corpus(n_train: int = 40_000, n_heldout: int = 4_000, seed: int = 0) -> Corpus:
    """Generate the toy corpus.

    The same arguments give the same stories, and no held-out story occurs in the training part.
    """
    for name, value in (("n_train", n_train), ("n_heldout", n_heldout)):
        if value < 1:
            raise CorpusError(f"{name}={value}: must be a whole number of at least 1.")
    if seed < 0:
        raise CorpusError(f"seed={seed}: must be a whole number ≥ 0.")
    grammar = toy_grammar()
    train, _ = grammar.sample(n_train, np.random.default_rng((seed, 0)))
    heldout, templates = _unseen(grammar, n_heldout, train, np.random.default_rng((seed, 1)))
    return Corpus(
        name="toy",
        tokenizer=_tokenizer(grammar.tokens),
        train=torch.from_numpy(train),
        heldout=torch.from_numpy(heldout),
        sha256=hashlib.sha256(np.concatenate([train, heldout]).astype("<i8").tobytes()).hexdigest(),
        heldout_labels=grammar.labels(templates),
    )


def word_bank() -> dict[str, tuple[str, ...]]:
    """Return the words of the toy language, grouped by topic or, where all topics share them, by part of speech.

    A topic's words occur in no other topic. A shared word is listed under every part of speech that it can have.
    """
    grammar = toy_grammar()
    # The positions of all ordinary tokens in all templates.
    position = np.nonzero(grammar.parts != IGNORE)
    used = np.stack([grammar.lists[position], grammar.topic[position[0]], grammar.parts[position]], axis=1)
    topics: dict[str, set[str]] = {}
    parts: dict[str, set[str]] = {}
    for list_number, topic, part in np.unique(used, axis=0):
        for token in np.flatnonzero(grammar.words[list_number]):
            topics.setdefault(grammar.tokens[token], set()).add(grammar.topics[topic])
            parts.setdefault(grammar.tokens[token], set()).add(PARTS_OF_SPEECH[part])
    groups = {word: parts[word] if len(found) == len(grammar.topics) else found for word, found in topics.items()}
    headings = (*grammar.topics, *(part for part in PARTS_OF_SPEECH if part != "punctuation"))
    return {heading: tuple(word for word in sorted(groups) if heading in groups[word]) for heading in headings}


def _unseen(
    grammar: ToyGrammar, n_stories: int, seen: NDArray[np.int64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Draw stories (n, T) that all differ and are not rows of `seen`; return them with their templates (n,)."""
    known = {story.tobytes() for story in seen}
    unseen: list[tuple[NDArray[np.int64], np.int64]] = []
    while len(unseen) < n_stories:
        for story, template in zip(*grammar.sample(n_stories, rng), strict=True):
            if story.tobytes() not in known:
                known.add(story.tobytes())
                unseen.append((story, template))
    stories, templates = zip(*unseen[:n_stories], strict=True)
    return np.stack(stories), np.array(templates)


def _tokenizer(tokens: tuple[str, ...]) -> Tokenizer:
    """Return a word-level tokenizer with exactly these tokens; encoding adds [CLS] and [SEP]."""
    tokenizer = Tokenizer(models.WordLevel({token: number for number, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation()])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(token, tokens.index(token)) for token in ("[CLS]", "[SEP]")]
    )
    # Joins words with spaces, without a space before "." and ",".
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens(list(SPECIAL_TOKENS))
    return tokenizer

"""Work that grows with a text no faster than the text does, and a vocabulary trained on a bounded part of it."""

import random
import string
from itertools import pairwise

import pytest

from electra_edu.corpora import load_corpus, wordpiece
from electra_edu.corpora.build import Document, split_into_blocks


class CountedText(str):
    """A string that counts how often its length is asked for."""

    asked = 0

    def __len__(self) -> int:
        CountedText.asked += 1
        return super().__len__()


@pytest.mark.fault(
    "Resources", seen="3.2 MB of short lines took 81 s: each line's length was asked for thousands of times"
)
def test_short_lines_are_put_into_blocks_in_one_pass() -> None:
    CountedText.asked = 0
    lines = [CountedText(f"line {i}") for i in range(10_000)]
    blocks = [*split_into_blocks(Document("", lines), 65_536)]
    assert [line for block in blocks for line in block.paragraphs] == lines
    assert all(sum(map(len, block.paragraphs)) >= 65_536 for block in blocks[:-1])
    assert CountedText.asked <= 3 * len(lines)


def distinct_words(n: int) -> list[str]:
    draw = random.Random(0)
    words = ["".join(draw.choices(string.ascii_lowercase, k=6)) for _ in range(n)]
    return [" ".join(words[i : i + 10]) for i in range(0, n, 10)]


@pytest.mark.fault("Resources", seen="52 MB of different words took 217 s and 4.2 GB: all of them were trained on")
def test_vocabulary_is_trained_on_a_bounded_number_of_words(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []
    train = wordpiece._train

    def watched(paragraphs: list[str], *rest: object) -> dict[str, int]:
        read.append(paragraphs)
        return train(paragraphs, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(wordpiece, "_train", watched)
    monkeypatch.setattr(wordpiece, "MAX_DISTINCT_WORDS", 3000, raising=False)
    paragraphs = distinct_words(20_000)
    corpora = [load_corpus(text="\n".join(paragraphs), vocab_size=400) for _ in range(2)]
    assert all(len({*" ".join(part).split()}) <= 3010 for part in read)
    assert corpora[0].tokenizer.to_str() == corpora[1].tokenizer.to_str()
    places = [paragraphs.index(paragraph) for paragraph in read[0]]
    assert places == sorted(places)
    assert max(later - earlier for earlier, later in pairwise(places)) < 50, "from all over the text"
    assert corpora[0].train.numel() > 20_000, "all of the text becomes sequences"


def test_ordinary_text_is_trained_on_whole() -> None:
    paragraphs = distinct_words(5000)
    assert wordpiece.training_sample(paragraphs) is paragraphs

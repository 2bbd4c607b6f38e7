"""Long texts: which window a token's logit comes from, and that nothing is lost at the seams."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small import WORDS, one_pass, small_config, small_run
from torch import Tensor, nn

import electra_edu as edu
from electra_edu.evaluation.detection.windows import TOKENS_PER_PASS, most_central, read_in_windows, window_starts
from electra_edu.training import TrainingRun

ROOM = 6  # words between [CLS] and [SEP] in the small model


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    """A run whose weights are drawn wide apart, so that every word gets a probability of its own."""
    return small_run(initializer_range=0.5)


def probabilities(scored: list[tuple[str, float]]) -> list[float]:
    return [p for _, p in scored]


class Stub(nn.Module):
    """Stands in for a discriminator of which the right logits are known without attention."""

    def __init__(self, room: int, radius: int = 0) -> None:
        super().__init__()
        self.config = small_config(vocab_size=1000, max_seq_length=room + 2)
        self.near = nn.Parameter(torch.linspace(1, 2, 2 * radius + 1).double(), requires_grad=False)
        self.shapes: list[torch.Size] = []

    def forward(self, tokens: Tensor, attention_mask: Tensor | None = None) -> Tensor:
        """Return a weighted sum of the token ids up to `radius` places away: (B, T)."""
        assert attention_mask is None
        self.shapes.append(tokens.shape)
        radius = len(self.near) // 2
        padded = nn.functional.pad(tokens.double(), (radius, radius))
        return padded.unfold(1, 2 * radius + 1, 1) @ self.near


@settings(max_examples=25)
@given(words=st.lists(st.integers(5, 15), min_size=ROOM + 1, max_size=4 * ROOM))
def test_each_token_is_scored_in_the_window_with_most_context(run: TrainingRun, words: list[int]) -> None:
    """Brute force: every window alone, and for every token the one with most words on its barer side."""
    last = len(words) - ROOM
    starts = sorted({min(start, last) for start in range(0, len(words), ROOM // 2)})
    alone = {start: one_pass(run.average.discriminator, words[start : start + ROOM]) for start in starts}

    def expected_probability(place: int) -> float:
        inside = [start for start in starts if start <= place < start + ROOM]
        best = max(inside, key=lambda start: min(place - start, start + ROOM - 1 - place))  # max: the first of equals
        return alone[best][place - best]

    text = " ".join(WORDS[word - 5] for word in words)
    expected = [expected_probability(place) for place in range(len(words))]
    assert probabilities(edu.detect(run, text)) == pytest.approx(expected, abs=1e-5)


@given(room=st.integers(1, 21), data=st.data())
def test_every_token_is_scored_once_and_in_order(room: int, data: st.DataObject) -> None:
    """The stub's logit of a token is its id."""
    near = [k * room + d for k in range(4) for d in (-1, 0, 1) if k * room + d >= 1]
    length = data.draw(st.sampled_from(near) | st.integers(1, 5 * room))
    ids = [5 + (37 * i) % 995 for i in range(length)]
    network = Stub(room)
    assert read_in_windows(network, network.config, ids).tolist() == ids
    assert {row for _, row in network.shapes} == {min(length, room) + 2}


@given(room=st.integers(1, 21), length=st.integers(1, 130))
def test_a_quarter_of_a_window_as_context_gives_the_logits_of_the_whole_text(room: int, length: int) -> None:
    """A network that looks no further than that gives in windows what it gives in one pass over everything."""
    network, whole = Stub(room, radius=room // 4), Stub(length, radius=room // 4)
    ids = [5 + (37 * i) % 995 for i in range(length)]
    expected = read_in_windows(whole, whole.config, ids).tolist()
    assert len(whole.shapes) == 1
    assert read_in_windows(network, network.config, ids).tolist() == pytest.approx(expected)


@given(room=st.integers(1, 30), length=st.integers(1, 200))
def test_a_token_is_never_scored_outside_its_window(room: int, length: int) -> None:
    starts = window_starts(length, room)
    assert starts[0] == 0
    assert (starts.diff() > 0).all()
    place = torch.arange(length) - starts[most_central(starts, length, room)]
    assert (place >= 0).all()
    assert (place < room).all()


def test_a_book_is_read_in_passes_of_bounded_size() -> None:
    network = Stub(room=30)
    ids = [5 + i % 900 for i in range(20_000)]
    assert read_in_windows(network, network.config, ids).tolist() == ids
    assert len(network.shapes) > 5
    assert all(rows * row <= TOKENS_PER_PASS for rows, row in network.shapes)


def test_neighbouring_windows_do_not_change_a_probability(run: TrainingRun) -> None:
    """The same words at the start of a short and of a very long text: another batch, the same first window."""
    short = probabilities(edu.detect(run, " ".join(WORDS[:9])))[:3]
    long = probabilities(edu.detect(run, " ".join(WORDS[:9] * 90)))[:3]
    assert long == pytest.approx(short, abs=1e-5)

"""TypedSentence: probabilities as `detect` gives them, the threshold, unknown words, and swapped ones."""

import pytest
from small import toy_corpus

import electra_edu as edu
from electra_edu.widgets.panels.typed_sentence import TypedSentence


@pytest.fixture(scope="module")
def run() -> edu.TrainingRun:
    run = edu.TrainingRun(edu.preset("toy"), toy_corpus(), seed=0)
    run.advance(60)
    return run


def test_probabilities_are_those_of_detect(run: edu.TrainingRun) -> None:
    panel = TypedSentence(run, "the cook stirs the stew .")
    shown = [(token["text"], token["note"]) for token in panel.view.blocks[0]["tokens"]]
    assert shown == [(word, f"{chance:.0%}") for word, chance in edu.detect(run, "the cook stirs the stew .")]


def test_the_threshold_decides_who_is_accused(run: edu.TrainingRun) -> None:
    panel = TypedSentence(run)
    counts = []
    for _, threshold in panel.threshold.options:
        panel.threshold.value = threshold
        tokens = panel.view.blocks[0]["tokens"]
        assert [token["sign"] == "!" for token in tokens] == [token["level"] > threshold for token in tokens]
        counts.append(int(panel.view.blocks[1]["facts"][0]["value"].split()[0]))
    assert counts == sorted(counts, reverse=True)


def test_an_unknown_word_has_no_probability_and_gets_advice(run: edu.TrainingRun) -> None:
    panel = TypedSentence(run, "the cooc stirs the stew .")
    token = panel.view.blocks[0]["tokens"][1]
    assert (token["text"], token["note"], token["level"]) == ("cooc", "?", None)
    assert "“cooc” is not among" in panel.view.blocks[2]["text"]
    assert "cook" in panel.view.blocks[2]["text"]


@pytest.mark.parametrize("text", ["", "   "])
def test_no_words_get_a_sentence_and_the_next_text_its_probabilities(run: edu.TrainingRun, text: str) -> None:
    panel = TypedSentence(run, "the cook .")
    panel.text.value = text
    assert [block["kind"] for block in panel.view.blocks] == ["Text"]
    panel.text.value = "the cook ."
    assert panel.view.blocks[0]["kind"] == "Tokens"


def test_swapping_changes_one_word(run: edu.TrainingRun) -> None:
    panel = TypedSentence(run)
    before = panel.text.value.split()
    panel.swap.click()
    after = panel.text.value.split()
    assert len(after) == len(before)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == 1


def test_it_opens_with_a_fake_that_it_names(run: edu.TrainingRun) -> None:
    panel = TypedSentence(run)
    story = run.corpus.text(run.corpus.heldout[0])
    changes = [(a, b) for a, b in zip(story.split(), panel.text.value.split(), strict=True) if a != b]
    assert len(changes) == 1
    (was, now) = changes[0]
    assert f"“{now}” stands where “{was}” was." in [block.get("text") for block in panel.view.blocks]
    panel.text.value = story
    assert not any("stands where" in str(block.get("text")) for block in panel.view.blocks)


@pytest.mark.parametrize("text", ["the cook", ""])
def test_too_short_a_sentence_is_left_alone(run: edu.TrainingRun, text: str) -> None:
    panel = TypedSentence(run, text)
    panel.swap.click()
    assert panel.text.value == text


def test_another_story_comes_and_the_suggestions_are_known_words(run: edu.TrainingRun) -> None:
    panel = TypedSentence(run)
    panel.next.click()
    assert panel.text.value == run.corpus.text(run.corpus.heldout[1])
    suggestions = (
        panel.view.blocks[-1]["text"].removeprefix("Words it knows, for example: ").removesuffix(".").split(", ")
    )
    assert len(suggestions) > 20
    assert all(run.corpus.tokenizer.token_to_id(word) is not None for word in suggestions)


def test_show_code_names_the_sentence(run: edu.TrainingRun) -> None:
    code = TypedSentence(run, "the cook's stew .").drawer.code
    compile(code, "code", "exec")
    assert "the cook's stew ." in code
    assert len(code.splitlines()) <= 12

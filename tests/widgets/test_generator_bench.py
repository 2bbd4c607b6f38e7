"""GeneratorBench: shares against arithmetic on the logits, and a panel that accuracy its knobs."""

from dataclasses import replace

import pytest
import torch
from page import send

import electra_edu as edu
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.panels.generator_bench import TEMPERATURES, GeneratorBench

ALONE = {"scheme": "two-stage", "generator_steps": 1000, "weight_sharing": "none"}


@pytest.fixture(scope="module")
def runs() -> list[edu.TrainingRun]:
    corpus = edu.load_corpus("toy")
    runs = [edu.TrainingRun(edu.preset("toy", generator_size_fraction=size, **ALONE), corpus) for size in (1.0, 0.25)]
    for run in runs:
        run.advance(25)
    return runs


@pytest.fixture
def bench(runs: list[edu.TrainingRun]) -> GeneratorBench:
    return GeneratorBench(runs)


def facts(bench: GeneratorBench) -> list[str]:
    return [fact["value"] for fact in bench.view.blocks[1]["facts"]]


def test_offers_the_sizes_in_order(bench: GeneratorBench) -> None:
    assert [label for label, _ in bench.size.options] == ["1/4", "1"]


def test_shares_follow_from_the_logits(bench: GeneratorBench, runs: list[edu.TrainingRun]) -> None:
    run = runs[1]
    tokens = run.corpus.heldout[:128]
    masking = edu.masking.mask(tokens, run.config, torch.Generator().manual_seed(0))
    hidden = masking.is_masked
    with torch.no_grad():
        logits = run.average.generator(masking.tokens, tokens != 0)[hidden]
    truth = tokens[hidden]
    allowed = torch.cat([edu.corpora.toy.exact_distribution(*each) for each in zip(tokens, hidden, strict=True)]) > 0
    assert allowed.gather(1, truth[:, None]).all()  # the true word always fits
    bench.size.value = 0.25
    for temperature in (0.5, 2.0):
        bench.temperature.value = temperature
        p = (logits / temperature).softmax(-1)
        right = p.gather(1, truth[:, None]).mean().item()
        fitting = (p * allowed).sum(-1).mean().item() - right  # fakes that fit, as a share of all draws
        entropy = -(p * p.clamp(min=1e-30).log()).sum(-1).mean().item()
        assert facts(bench) == [
            f"{right:.0%}", f"{1 - right:.0%}", f"{fitting / (1 - right):.0%}", f"{entropy:.1f} nats"
        ]  # fmt: skip
    bench.how.value = "argmax"
    best = logits.argmax(-1)
    right = (best == truth).float().mean().item()
    fitting = sum(bool(allowed[i, word]) and word != truth[i] for i, word in enumerate(best.tolist())) / len(best)
    assert facts(bench) == [f"{right:.0%}", f"{1 - right:.0%}", f"{fitting / (1 - right):.0%}", "0 nats"]


def test_of_a_language_without_known_rules_nothing_is_said_of_what_fits() -> None:
    corpus = replace(edu.load_corpus("toy"), name="own stories")
    bench = GeneratorBench([edu.TrainingRun(edu.preset("toy", **ALONE), corpus)])
    assert len(facts(bench)) == 3
    assert [curve["name"] for curve in bench.view.blocks[2]["blocks"][1]["subplots"][0]["curves"]] == [
        "drawn: true",
        "likeliest: true",
    ]
    assert len(bench.view.blocks[2]["blocks"][0]["series"]) == 1


def test_it_opens_on_a_gap_with_a_choice(bench: GeneratorBench) -> None:
    for _ in range(5):
        choices = [int((row > 0).sum()) for row in bench.exact]
        assert choices[bench.selected] > 1 or max(choices) == 1
        bench.next.click()


def test_a_low_temperature_makes_fewer_fakes(bench: GeneratorBench) -> None:
    for accuracy in bench.accuracy.values():
        assert list(accuracy.right) == sorted(accuracy.right, reverse=True)
        assert list(accuracy.entropy) == sorted(accuracy.entropy)
        assert accuracy.n_masked > 300
    assert TEMPERATURES[0] < 1 < TEMPERATURES[-1]


def test_the_words_drawn_are_labelled(bench: GeneratorBench) -> None:
    names = [bench.corpus.tokenizer.id_to_token(i) for i in bench.corpus.heldout[bench.story].tolist()]
    for _ in range(4):
        story = bench.view.blocks[0]["tokens"]
        drawn = [(position, token) for position, token in enumerate(story, start=1) if token["note"]]
        assert [position for position, _ in drawn] == bench.masked
        for position, token in drawn:
            assert token["note"] == ("0 original" if token["text"] == names[position] else "1 replaced")
        bench.again.click()


def test_drawing_again_draws_others_and_the_likeliest_word_stays(bench: GeneratorBench) -> None:
    def words() -> list[str]:
        return [token["text"] for token in bench.view.blocks[0]["tokens"]]

    seen = set()
    for _ in range(5):
        seen.add(tuple(words()))
        bench.again.click()
    assert len(seen) > 1
    bench.how.value = "argmax"
    first = words()
    bench.again.click()
    assert words() == first


def test_a_click_on_a_gap_asks_about_it(bench: GeneratorBench) -> None:
    bars = bench.view.blocks[2]["blocks"][0]
    first = bench.selected
    assert bars["title"].startswith(f"Gap {first + 1}")
    assert bars["series"][1]["name"] == "the language itself"
    assert sum(bars["series"][1]["values"]) == pytest.approx(1)  # all that fits is in sight
    assert bars["highlighted"] is not None
    send(bench.view, {"action": "select", "index": bench.masked[(first + 1) % 3] - 1})
    assert bench.selected == (first + 1) % 3
    assert bench.view.blocks[2]["blocks"][0]["title"].startswith(f"Gap {bench.selected + 1}")
    send(bench.view, {"action": "select", "index": 999})
    assert bench.selected == (first + 1) % 3


def test_another_story_has_other_gaps(bench: GeneratorBench) -> None:
    before = bench.view.blocks[0]
    bench.next.click()
    assert bench.story == 1
    assert bench.view.blocks[0] != before


def test_show_code_gives_the_same_distribution(bench: GeneratorBench, runs: list[edu.TrainingRun]) -> None:
    bench.temperature.value = 0.5
    shown: list[torch.Tensor] = []
    with torch.no_grad():
        exec(bench.drawer.code, {"runs": runs, "print": shown.append})
    bars = bench.view.blocks[2]["blocks"][0]
    given = {name: float(shown[0][bench.selected, bench.corpus.tokenizer.token_to_id(name)]) for name in bars["labels"]}
    assert list(given.values()) == pytest.approx(list(bars["series"][0]["values"]), abs=1e-5)
    assert len(bench.drawer.code.splitlines()) <= 12


@pytest.mark.parametrize("wrong", [[], [1], "runs"])
def test_what_cannot_be_compared_is_refused(wrong: object) -> None:
    with pytest.raises(ElectraEduError, match="runs: must be"):
        GeneratorBench(wrong)  # type: ignore[arg-type]


def test_generators_that_are_not_learned_are_refused() -> None:
    config = edu.preset("toy", generator_kind="unigram")
    with pytest.raises(ElectraEduError, match="learned generators"):
        GeneratorBench([edu.TrainingRun(config, edu.load_corpus("toy"))])

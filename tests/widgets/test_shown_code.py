"""Show code, executed: the same history record by record, and what the panel shows."""

import copy
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from generated_settings import SETTINGS
from hypothesis import assume, given, settings
from random_text import story
from shown_code import execute, run_again, statements
from small import KINDS as ALL_KINDS
from small import metrics_of, small_config, small_corpus, small_run, toy_corpus

import electra_edu as edu
from electra_edu.plots.blocks import Facts
from electra_edu.plots.charts import BarChart
from electra_edu.training import TrainingRun
from electra_edu.widgets.parts.code import corpus_line, preset_call, run_code

TEXT = story(4000)
CODE = "Show code is the run"


def changed_before(run: TrainingRun) -> None:
    run.change(rtd_weight=1.0)
    run.advance(2)


def one_network(run: TrainingRun) -> None:
    run.advance(3, trained="generator")
    run.advance(2)
    run.advance(1, trained="discriminator")


def several_at_once(run: TrainingRun) -> None:
    run.advance(1)
    run.change(rtd_weight=2.0, mask_prob=0.5)
    run.change(temperature=2.0)
    run.change(rtd_weight=3.0)
    run.advance(2)


def changed_after(run: TrainingRun) -> None:
    run.advance(2)
    run.change(mask_prob=0.5)


def there_and_back(run: TrainingRun) -> None:
    run.advance(1)
    for weight in (1.0, 50.0, run.config.rtd_weight):
        run.change(rtd_weight=weight)
    run.advance(1)


def numpy_values(run: TrainingRun) -> None:
    run.change(rtd_weight=np.float64(2.5), mask_prob=float(np.float32(0.2)))
    run.advance(np.int64(2))  # type: ignore[arg-type]


def many_changes(run: TrainingRun) -> None:
    for weight in range(20):
        run.change(rtd_weight=float(weight))
        run.advance(1, trained="generator" if weight % 7 == 3 else None)


HISTORIES = {f.__name__: f for f in (
    changed_before, one_network, several_at_once, changed_after, there_and_back, numpy_values, many_changes
)}  # fmt: skip
KINDS: dict[str, dict[str, Any]] = {
    "joint": {},
    "two-stage": {"scheme": "two-stage", "generator_steps": 3, "weight_sharing": "none"},
}


def assert_reproduced(run: TrainingRun, code: str, **names: Any) -> None:
    again = run_again(code, **names)
    assert metrics_of(again.history) == metrics_of(run.history)
    assert (again.config, again.first_config, again.seed) == (run.config, run.first_config, run.seed)


@pytest.mark.fault(
    CODE, seen="the code began with the last λ, left out what trained one network, and gave another loss"
)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("history", HISTORIES)
def test_whatever_happened_to_a_run_its_code_repeats(history: str, kind: str) -> None:
    run = small_run(7, **KINDS[kind])
    HISTORIES[history](run)
    assert_reproduced(run, run_code(run), my_corpus=run.corpus)


@pytest.mark.fault(CODE, seen="after saving and loading, the code began with the last λ")
@pytest.mark.parametrize("history", HISTORIES)
def test_a_saved_run_is_repeated_from_its_first_step(history: str, tmp_path: Path) -> None:
    run = small_run()
    HISTORIES[history](run)
    run.save(tmp_path / "run")
    run = TrainingRun.load(tmp_path / "run", run.corpus, "cpu")
    run.change(temperature=0.5)
    run.advance(1)
    assert_reproduced(run, run_code(run), my_corpus=run.corpus)


@pytest.mark.parametrize("kind", ALL_KINDS, ids=str)
def test_every_kind_of_run_is_repeated(kind: dict[str, Any]) -> None:
    run = small_run(**kind)
    several_at_once(run)
    assert_reproduced(run, run_code(run), my_corpus=run.corpus)


def test_a_long_list_of_changes_is_wrapped_and_a_short_history_needs_no_loop() -> None:
    run = small_run()
    many_changes(run)
    assert statements(run_code(run)) <= 12 < len(run_code(run).splitlines())
    assert max(map(len, run_code(run).splitlines())) < 400  # the config's line is the longest
    run = small_run()
    several_at_once(run)
    assert "for settings" not in run_code(small_run())
    assert run_code(run).splitlines()[5:] == [
        "run.advance(1)",
        "run.change(rtd_weight=3.0, mask_prob=0.5, temperature=2.0)",
        "run.advance(2)",
        "print(run.evaluate())",
    ]


@pytest.mark.fault(CODE, seen="nothing said that a run which was moved to another device cannot be repeated")
def test_a_run_that_was_moved_says_that_it_cannot_be_repeated() -> None:
    run = small_run()
    run.advance(2)
    run.devices = [(0, "cuda"), (2, "cpu")]
    assert "# trained on cuda, then cpu from step 3: devices draw different random numbers" in run_code(run)
    compile(run_code(run), "code", "exec")


# The corpus


@pytest.mark.fault(CODE, seen="pasted text became load_corpus('text'), and a file lost its folder and its sizes")
@pytest.mark.parametrize("sizes", [{}, {"max_seq_length": 32}, {"vocab_size": 60, "max_seq_length": 16}])
@pytest.mark.parametrize("source", ["file", "text"])
def test_a_corpus_of_ones_own_is_loaded_again(
    source: str, sizes: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my 'own' text.txt").write_text(TEXT, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    corpus = edu.load_corpus(text=TEXT, **sizes) if source == "text" else edu.load_corpus("my 'own' text.txt", **sizes)
    fits = {"vocab_size": corpus.vocab_size, "max_seq_length": corpus.max_seq_length}
    run = TrainingRun(small_config(**fits), corpus, device="cpu")
    run.advance(2)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    code = run_code(run)
    assert_reproduced(run, code, my_text=TEXT)
    assert corpus.sha256[:12] in code
    assert (f"{len(TEXT):,} characters" in code) == (source == "text")


def test_what_a_corpus_is_loaded_by() -> None:
    made = {
        "hf:owner/name:part": "corpus = edu.load_corpus('hf:owner/name:part', max_seq_length=32)  # the same text if",
        "docs": "corpus = edu.load_corpus('docs', max_seq_length=32)  # the same text if corpus.sha256 begins",
    }
    for name, line in made.items():
        corpus = small_corpus()
        object.__setattr__(corpus, "source", edu.corpora.CorpusSource("name", name, 1024, 32))
        assert corpus_line(corpus).startswith(line)
    assert corpus_line(toy_corpus()) == "corpus = edu.load_corpus('toy')"
    assert corpus_line(small_corpus()).startswith(
        "corpus = my_corpus  # the corpus that the run was made with: 'small'"
    )


# The settings


@settings(max_examples=50)
@given(changes=SETTINGS)
def test_copied_settings_make_the_config(changes: dict[str, Any]) -> None:
    try:
        config = edu.preset("toy", **changes)
    except edu.ElectraEduError:
        assume(False)
    assert eval(preset_call(config), {"edu": edu}) == config


def test_numbers_of_numpy_are_written_as_plain_ones() -> None:
    assert preset_call(edu.preset("toy", mask_prob=np.float64(0.25))) == "edu.preset('toy', mask_prob=0.25)"


# The panels. Each function brings a panel into a state and compares what its code does with what it shows


@pytest.fixture(scope="module")
def run() -> TrainingRun:
    run = TrainingRun(edu.preset("toy", batch_size=8, dropout=0.1), toy_corpus(), seed=2, device="cpu")
    run.change(rtd_weight=1.0)
    run.advance(3, trained="generator")
    run.change(mask_prob=0.3, temperature=2.0)
    run.advance(3)
    return run


def facts(panel: Any, index: int) -> list[str]:
    found = [block for block in panel.blocks() if isinstance(block, Facts)][index]
    return [fact.value for fact in found.facts]


def test_lab_after_its_own_reset(run: TrainingRun) -> None:
    lab = edu.widgets.TrainingLab(small_run(3))
    try:
        lab.step(2)
        for knob, value in (("rate", 3.0), ("mask", 0.5), ("size", 1.0), ("seed", 11)):
            getattr(lab.controls, knob).value = value
        lab.step(1)
        lab.reset()
        lab.controls.rtd_weight.value = 5.0
        lab.controls.mask.value = 0.2
        lab.step(2)
        lab.controls.rate.value = 0.1
        assert_reproduced(lab.run, lab.drawer.code, my_corpus=lab.run.corpus)
        assert lab.run.first_config.learning_rate == pytest.approx(9e-3)
        assert eval(lab.drawer.settings, {"edu": edu}) == lab.run.config
    finally:
        lab.close()


def test_masked_model(run: TrainingRun) -> None:
    panel = edu.widgets.MaskedModel(run)
    panel.next.click()
    panel.picked("hide", 5)
    panel.refresh()
    bars = next(block for block in panel.blocks() if type(block).__name__ == "Row").blocks[0]
    _, printed = execute(panel.drawer.code)
    assert [line.split() for line in printed.splitlines()][:5] == [
        [label, f"{value:.0%}"] for label, value in zip(bars.labels, bars.series[0].values, strict=True)
    ][:5]


def test_typed_sentence(run: TrainingRun) -> None:
    panel = edu.widgets.TypedSentence(run, "the cook's dragon stirs the stew .")
    panel.threshold.value = 0.2
    _, printed = execute(panel.drawer.code)
    shown = [(token.text, token.note) for token in panel.blocks()[0].tokens]
    assert [tuple(line.rsplit(" ", 1)) for line in printed.splitlines()] == [
        (text, "nan%" if note == "?" else note) for text, note in shown
    ]


def test_verdicts_at_every_look(run: TrainingRun) -> None:
    run = TrainingRun(edu.preset("toy", batch_size=8), toy_corpus(), device="cpu")
    panel = edu.widgets.VerdictsOverTraining(run)
    for weight in (2.0, 5.0):
        run.change(rtd_weight=weight)
        run.advance(4)
        panel.look()
    for step in (8, 4, 0):
        panel.step.value, panel.threshold.value = step, 0.1
        _, printed = execute(panel.drawer.code, run=run)
        recall, auc = re.findall(r"recall=([\d.]+)", printed)[0], printed.splitlines()[-1]
        assert [f"{float(recall):.0%}", f"{float(auc):.2f}"] == [facts(panel, 0)[i] for i in (0, 2)], step


def test_label_explorer(run: TrainingRun) -> None:
    run = copy.deepcopy(run)
    panel = edu.widgets.LabelExplorer(run)
    panel.next.click()
    panel.left_visible.value, panel.mask_prob.value = 0.5, 0.3
    panel.again.click()
    for temperature in (run.config.temperature, 0.25):
        run.change(temperature=temperature)
        panel.refresh()
        found, _ = execute(panel.drawer.code, run=run)
        assert f"{found['out'].rtd_loss.item():.3f}" == facts(panel, 0)[0]


@pytest.mark.fault(CODE, seen="the stepper's code left out the steps taken in the panel, and drew with dropout")
@pytest.mark.parametrize("steps", [(), ("both",), ("generator", "discriminator", "both")])
def test_stepper(run: TrainingRun, steps: tuple[str, ...]) -> None:
    panel = edu.widgets.Stepper(run, seed=4)
    for trained in steps:
        panel.step(trained)  # type: ignore[arg-type]
    panel.go(5)
    found, _ = execute(panel.drawer.code, run=run, torch=torch, edu=edu)
    out = found["out"]
    assert [f"{loss.item():.3f}" for loss in (out.mlm_loss, out.rtd_loss)] == facts(panel, 0)[:2]
    assert torch.equal(out.corrupted, found["read"].tokens)
    assert torch.equal(out.corrupted, panel.trainer.out.corrupted)
    panel.again.click()
    assert "trainer.step" not in panel.drawer.code


@pytest.mark.fault(CODE, seen="the bench's code did not draw the words on the screen")
@pytest.mark.parametrize("how", ["sample", "argmax"])
def test_generator_bench(run: TrainingRun, how: str) -> None:
    large = TrainingRun(edu.preset("toy", generator_size_fraction=1.0), toy_corpus(), device="cpu")
    runs = [run, run, large]  # of two of one size, the panel shows the last
    panel = edu.widgets.GeneratorBench(runs)
    panel.temperature.value, panel.how.value = 0.5, how
    panel.next.click()
    panel.again.click()
    large.advance(2)  # trained on: the panel looks again
    panel.size.value = 1.0
    _, printed = execute(panel.drawer.code, runs=runs)
    words = [token.text for token in panel.blocks()[0].tokens if token.note]
    assert printed.splitlines()[-1] == repr(words)


def test_mask_explorer_with_a_text_of_ones_own() -> None:
    corpus = edu.load_corpus(text=TEXT, max_seq_length=16)
    panel = edu.widgets.MaskExplorer(corpus, "the cat sees a big red house never")
    panel.again.click()
    _, printed = execute(panel.drawer.code, my_text=TEXT)
    hidden = [position for position, token in enumerate(panel.blocks()[0].tokens) if token.text == "[MASK]"]
    assert eval(printed) == hidden


@pytest.mark.parametrize(("length", "rate"), [(32, 0.05), (512, 0.75)])
def test_efficiency_explorer(length: int, rate: float) -> None:
    panel = edu.widgets.EfficiencyExplorer()
    panel.length.value, panel.mask_prob.value = length, rate
    _, printed = execute(panel.drawer.code)
    masked, every, times, price = printed.split()
    assert [f"{masked} of {length}", f"{every} of {length}"] == facts(panel, 0)[:2]
    assert [f"{float(times):.1f} ×", f"{float(price):.2f} ×"] == facts(panel, 0)[2:]


@pytest.mark.parametrize(("length", "vocabulary", "rate", "wrong"), [(22, 324, 0.5, 1.0), (512, 100_000, 0.05, 0.1)])
def test_bits_explorer(length: int, vocabulary: int, rate: float, wrong: float) -> None:
    panel = edu.widgets.BitsExplorer()
    panel.length.value, panel.vocab_size.value, panel.mask_prob.value, panel.wrong.value = (
        length, vocabulary, rate, wrong
    )  # fmt: skip
    _, printed = execute(panel.drawer.code)
    mlm, rtd = (line.split() for line in printed.splitlines()[:2])
    bars = next(block.blocks[1] for block in panel.blocks() if type(block).__name__ == "Row")
    assert isinstance(bars, BarChart)
    assert float(mlm[1]) == pytest.approx(bars.series[0].values[0])
    assert float(rtd[2]) == pytest.approx(bars.series[1].values[1])

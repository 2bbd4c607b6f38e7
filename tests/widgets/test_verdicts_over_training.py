"""VerdictsOverTraining and TypedSentence: scores against scikit-learn and arithmetic, typed words, unknown words."""

import pytest
import torch
from sklearn.metrics import precision_score, recall_score, roc_auc_score

import electra_edu as edu
from electra_edu.support.errors import ElectraEduError
from electra_edu.widgets.panels.typed_sentence import TypedSentence
from electra_edu.widgets.panels.verdicts_over_training import VerdictsOverTraining


@pytest.fixture(scope="module")
def run() -> edu.TrainingRun:
    return edu.TrainingRun(edu.preset("toy"), edu.load_corpus("toy"), seed=0)


@pytest.fixture(scope="module")
def verdicts(run: edu.TrainingRun) -> VerdictsOverTraining:
    panel = VerdictsOverTraining(run)
    for _ in range(3):
        run.advance(30)
        panel.look()
    return panel


class TestVerdictsOverTraining:
    def test_has_a_place_for_each_look(self, verdicts: VerdictsOverTraining) -> None:
        assert [step for _, step in verdicts.step.options] == [0, 30, 60, 90]

    def test_nothing_can_be_told_before_training(self, verdicts: VerdictsOverTraining) -> None:
        verdicts.step.value = 0
        facts = [fact["value"] for fact in verdicts.view.blocks[0]["facts"]]
        assert facts[:3] == ["0%", "–", "0.50"]
        roc = verdicts.view.blocks[1]["blocks"][1]["curves"][0]
        assert (roc["x"], roc["y"]) == ([0.0, 1.0], [0.0, 1.0])
        assert "cannot tell" in verdicts.view.blocks[2]["text"]

    @pytest.mark.parametrize("threshold", [0.1, 0.5])
    def test_scores_agree_with_scikit_learn(
        self, verdicts: VerdictsOverTraining, run: edu.TrainingRun, threshold: float
    ) -> None:
        exam = run.exam
        with torch.no_grad():
            logits = run.average.discriminator(exam.corrupted, exam.original != 0)[exam.is_ordinary]
        labels, accused = exam.is_replaced[exam.is_ordinary], logits.sigmoid() > threshold
        verdicts.step.value, verdicts.threshold.value = 90, threshold
        facts = [fact["value"] for fact in verdicts.view.blocks[0]["facts"]]
        assert facts == [
            f"{recall_score(labels, accused):.0%}",
            f"{precision_score(labels, accused, zero_division=0):.0%}" if accused.any() else "–",
            f"{roc_auc_score(labels, logits):.2f}",
            f"{(accused == labels).float().mean():.1%}",
        ]
        dot = verdicts.view.blocks[1]["blocks"][1]["dots"][0]
        assert dot[:2] == pytest.approx(
            [accused[~labels].float().mean().item(), recall_score(labels, accused)], abs=1e-6
        )

    def test_histograms_are_shares_of_their_own_kind(self, verdicts: VerdictsOverTraining) -> None:
        verdicts.step.value = 90
        for series in verdicts.view.blocks[1]["blocks"][0]["series"]:
            assert sum(series["values"]) == pytest.approx(1, abs=1e-5)

    def test_the_curve_rises_and_has_the_area_it_says(self, verdicts: VerdictsOverTraining) -> None:
        verdicts.step.value = 90
        curve = verdicts.view.blocks[1]["blocks"][1]["curves"][0]
        x, y = torch.tensor(curve["x"]), torch.tensor(curve["y"])
        assert (x.diff() >= 0).all()
        assert (y.diff() >= 0).all()
        assert torch.trapezoid(y, x).item() == pytest.approx(verdicts._looks[-1].auc, abs=0.01)

    def test_show_code_prints_the_same_scores(self, verdicts: VerdictsOverTraining, run: edu.TrainingRun) -> None:
        verdicts.step.value, verdicts.threshold.value = 90, 0.1
        shown: list[object] = []
        exec(verdicts.drawer.code, {"run": run, "edu": edu, "print": shown.append})
        assert f"{shown[0].recall:.0%}" == verdicts.view.blocks[0]["facts"][0]["value"]  # type: ignore[attr-defined]
        assert shown[1] == pytest.approx(verdicts._looks[-1].auc)

    def test_a_run_without_a_discriminator_is_refused(self) -> None:
        with pytest.raises(ElectraEduError, match="discriminator"):
            VerdictsOverTraining(edu.TrainingRun(edu.preset("toy", objective="bert"), edu.load_corpus("toy")))
        with pytest.raises(ElectraEduError, match="must be a TrainingRun"):
            VerdictsOverTraining(3)  # type: ignore[arg-type]


class TestTypedSentence:
    def test_judges_as_detect_does(self, run: edu.TrainingRun) -> None:
        panel = TypedSentence(run, "the cook stirs the stew .")
        shown = [(token["text"], token["note"]) for token in panel.view.blocks[0]["tokens"]]
        assert shown == [(word, f"{chance:.0%}") for word, chance in edu.detect(run, "the cook stirs the stew .")]

    def test_the_threshold_decides_who_is_accused(self, run: edu.TrainingRun) -> None:
        panel = TypedSentence(run)
        counts = []
        for _, threshold in panel.threshold.options:
            panel.threshold.value = threshold
            tokens = panel.view.blocks[0]["tokens"]
            assert [token["sign"] == "!" for token in tokens] == [token["level"] > threshold for token in tokens]
            counts.append(int(panel.view.blocks[1]["facts"][0]["value"].split()[0]))
        assert counts == sorted(counts, reverse=True)

    def test_an_unknown_word_is_not_judged_and_gets_advice(self, run: edu.TrainingRun) -> None:
        panel = TypedSentence(run, "the cooc stirs the stew .")
        token = panel.view.blocks[0]["tokens"][1]
        assert (token["text"], token["note"], token["level"]) == ("cooc", "?", None)
        assert "“cooc” is not among" in panel.view.blocks[2]["text"]
        assert "cook" in panel.view.blocks[2]["text"]

    @pytest.mark.parametrize("text", ["", "   "])
    def test_no_words_get_a_sentence_and_the_next_text_is_judged(self, run: edu.TrainingRun, text: str) -> None:
        panel = TypedSentence(run, "the cook .")
        panel.text.value = text
        assert [block["kind"] for block in panel.view.blocks] == ["Text"]
        panel.text.value = "the cook ."
        assert panel.view.blocks[0]["kind"] == "Tokens"

    def test_swapping_changes_one_word(self, run: edu.TrainingRun) -> None:
        panel = TypedSentence(run)
        before = panel.text.value.split()
        panel.swap.click()
        after = panel.text.value.split()
        assert len(after) == len(before)
        assert sum(a != b for a, b in zip(before, after, strict=True)) == 1

    def test_it_opens_with_a_fake_that_it_names(self, run: edu.TrainingRun) -> None:
        panel = TypedSentence(run)
        story = run.corpus.text(run.corpus.heldout[0])
        changes = [(a, b) for a, b in zip(story.split(), panel.text.value.split(), strict=True) if a != b]
        assert len(changes) == 1
        (was, now) = changes[0]
        assert f"“{now}” stands where “{was}” was." in [block.get("text") for block in panel.view.blocks]
        panel.text.value = story
        assert not any("stands where" in str(block.get("text")) for block in panel.view.blocks)

    @pytest.mark.parametrize("text", ["the cook", ""])
    def test_too_short_a_sentence_is_left_alone(self, run: edu.TrainingRun, text: str) -> None:
        panel = TypedSentence(run, text)
        panel.swap.click()
        assert panel.text.value == text

    def test_another_story_comes_and_the_bank_holds_known_words(self, run: edu.TrainingRun) -> None:
        panel = TypedSentence(run)
        panel.next.click()
        assert panel.text.value == run.corpus.text(run.corpus.heldout[1])
        bank = panel.view.blocks[-1]["text"].removeprefix("Words it knows, for example: ").removesuffix(".").split(", ")
        assert len(bank) > 20
        assert all(run.corpus.tokenizer.token_to_id(word) is not None for word in bank)

    def test_show_code_names_the_sentence(self, run: edu.TrainingRun) -> None:
        code = TypedSentence(run, "the cook's stew .").drawer.code
        compile(code, "code", "exec")
        assert "the cook's stew ." in code
        assert len(code.splitlines()) <= 12

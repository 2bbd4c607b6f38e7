"""It learns: the toy preset reaches what the course promises, counted in steps, not in seconds."""

import pytest

import electra_edu as edu


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_toy_reaches_the_exam_score_of_the_first_lesson(seed: int) -> None:
    run = edu.TrainingRun(edu.preset("toy"), edu.load_corpus("toy"), seed=seed, device="cpu")
    run.advance(300)
    evaluation = run.evaluate()
    assert evaluation.auc >= 0.90
    assert evaluation.recall >= 0.30
    assert evaluation.accuracy > evaluation.majority
    assert evaluation.mlm_loss < run.corpus.unigram_entropy - 0.5  # it uses context, not only frequencies


@pytest.mark.slow
def test_docs_leaves_the_majority_class() -> None:
    run = edu.TrainingRun(edu.preset("docs"), edu.load_corpus("docs"), seed=0, device="cpu")
    run.advance(400)
    evaluation = run.evaluate()
    assert evaluation.mlm_loss < run.corpus.unigram_entropy
    assert evaluation.auc > 0.55

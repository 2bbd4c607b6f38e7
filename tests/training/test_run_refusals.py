"""Runs: what they refuse, and what another cell may have left on."""

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small import VOCAB_SIZE, equal, metrics_of, small_config, small_corpus, small_run, state

import electra_edu as edu
from electra_edu.training import TrainingRun


@contextmanager
def switched_off() -> Iterator[None]:
    """Leave gradients off as a cell does that calls set_grad_enabled(False)."""
    torch.set_grad_enabled(False)
    try:
        yield
    finally:
        torch.set_grad_enabled(True)


LEFT_ON = {"no_grad": torch.no_grad, "set_grad_enabled(False)": switched_off, "inference_mode": torch.inference_mode}


@pytest.mark.fault(
    "Errors", seen="under no_grad or inference mode, left on by another cell, advance raised PyTorch's errors"
)
@pytest.mark.parametrize("left_on", [*LEFT_ON.values()], ids=[*LEFT_ON])
@pytest.mark.parametrize("since", ["before the corpus", "before the run", "in the middle"])
def test_a_run_trains_whatever_another_cell_left_on(left_on: type[AbstractContextManager[None]], since: str) -> None:
    expected = small_run(dropout=0.1)
    expected.advance(4)
    graded = expected.evaluate()
    if since == "in the middle":
        run = small_run(dropout=0.1)
        run.advance(2)
        with left_on():
            run.advance(2)
            assert run.evaluate() == graded
    else:
        corpus = small_corpus()
        with left_on():
            corpus = small_corpus() if since == "before the corpus" else corpus
            run = TrainingRun(small_config(dropout=0.1), corpus, device="cpu")
            run.advance(2)
        run.advance(2)
        assert run.evaluate() == graded
    assert metrics_of(run.history) == metrics_of(expected.history)
    assert equal(state(run), state(expected))


@pytest.mark.fault("Errors", seen="special-token ids that contradict the corpus trained 300 steps without a word")
@pytest.mark.parametrize(
    ("changes", "has"),
    [
        ({"pad_token_id": 7}, "pad_token_id=7"),
        ({"mask_token_id": 9}, "mask_token_id=9"),
        ({"cls_token_id": 3, "sep_token_id": 2}, "cls_token_id=3 and sep_token_id=2"),
        ({"unk_token_id": 5, "max_seq_length": 9}, "max_seq_length=9 and unk_token_id=5"),
    ],
)
def test_special_ids_that_contradict_the_corpus_are_refused_with_what_mends_it(
    changes: dict[str, int], has: str
) -> None:
    config, corpus = small_config(**changes), small_corpus()
    with pytest.raises(edu.ElectraEduError, match=f"^The config has {has}, but the corpus 'small'") as caught:
        TrainingRun(config, corpus, device="cpu")
    mended = eval(str(caught.value).rsplit(": ", 1)[1].removesuffix("."), {"config": config})
    assert TrainingRun(mended, corpus, device="cpu").advance(1)


@pytest.mark.fault("Errors", seen="TrainingRun(config, 'toy'), or its arguments swapped, ended in AttributeError")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((small_config(), "toy"), "corpus: must be of the type Corpus, not str"),
        ((small_corpus(), small_config()), "config: must be of the type ElectraConfig, not Corpus"),
        (("toy", small_corpus()), "config: must be of the type ElectraConfig, not str"),
    ],
    ids=["a name", "swapped", "a preset's name"],
)
def test_arguments_in_the_wrong_place_are_named(arguments: tuple[Any, Any], message: str) -> None:
    with pytest.raises(edu.ElectraEduError, match=f"^{message}"):
        TrainingRun(*arguments, device="cpu")


def test_ids_that_a_corpus_has_no_words_for_are_refused() -> None:
    corpus = small_corpus()
    corpus.train[3, 2] = VOCAB_SIZE
    with pytest.raises(edu.ElectraEduError, match=r"^tokens: holds 16; with vocab_size=16 it must be from 0 to 15"):
        TrainingRun(small_config(batch_size=20), corpus, device="cpu").advance(1)
    from electra_edu.training.compatibility import check_token_ids

    with pytest.raises(edu.ElectraEduError, match=r"^corpus: its train part has token ids from 0 to 16"):
        check_token_ids(small_config(), corpus)  # what a run on a GPU asks once


@pytest.mark.fault(
    "Errors", seen="advance(np.int64(2)) “must be a whole number”; a NumPy value changed live could not be saved"
)
def test_numbers_of_numpy_steer_a_run_and_are_saved_as_plain_ones(tmp_path: Path) -> None:
    run, plain = small_run(seed=np.int64(3)), small_run(seed=3)
    run.change(rtd_weight=np.float64(2.5), mask_prob=torch.tensor(0.5))
    run.advance(np.int16(2))
    plain.change(rtd_weight=2.5, mask_prob=0.5)
    plain.advance(2)
    assert run.changes == plain.changes
    assert metrics_of(run.history) == metrics_of(plain.history)
    assert json.dumps([change.to_dict() for change in run.changes])
    run.save(tmp_path / "run")
    assert TrainingRun.load(tmp_path / "run", run.corpus, "cpu").config == plain.config

"""`load_corpus` with a data set of the Hugging Face hub, without a network."""

import sys
from types import SimpleNamespace
from unittest.mock import Mock

import pytest
from corpus_refusals import refusal
from random_text import story

from electra_edu.corpora import hub, load_corpus


def install_datasets(monkeypatch: pytest.MonkeyPatch, load_dataset: object) -> None:
    monkeypatch.setitem(sys.modules, "datasets", SimpleNamespace(load_dataset=load_dataset))


def test_hub_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    message = refusal("hf:someone/stories")
    assert "electra_edu[hub]" in message
    assert "datasets.load_dataset('someone/stories', split='train')" in message, "how to do it elsewhere"


def test_hub_reads_the_column_of_text(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def load_dataset(*args: object, **options: object) -> list[dict[str, object]]:
        asked.append((args, options))
        return [{"label": 1, "title": "x", "text": line} for line in story(1000).split("\n\n")] + [{"text": None}]

    install_datasets(monkeypatch, load_dataset)
    corpus = load_corpus("hf:someone/stories:small")
    assert asked == [(("someone/stories", "small"), {"split": "train", "streaming": True})]
    assert corpus.name == "hf:someone/stories:small"
    assert corpus.sha256 == load_corpus(text=story(1000)).sha256
    monkeypatch.setattr(hub, "MAX_CHARACTERS", 2000)
    assert len(load_corpus("hf:someone/stories").train) < len(corpus.train)


def test_hub_that_cannot_be_reached_or_has_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    install_datasets(monkeypatch, Mock(side_effect=ConnectionError("no network")))
    assert "ConnectionError: no network" in refusal("hf:someone/stories")
    install_datasets(monkeypatch, lambda *_args, **_options: [{"pixels": 1, "label": 2}])
    assert "pixels, label" in refusal("hf:someone/pictures")
    install_datasets(monkeypatch, lambda *_args, **_options: [{"story": line} for line in story(1000).split("\n\n")])
    assert load_corpus("hf:someone/stories").vocab_size > 20

"""Figures that lessons quote: those that were computed are computed again, those of the paper agree with each other."""

import math

import pytest

import electra_edu as edu
from electra_edu.course import claims
from electra_edu.metrics import binary_entropy

CHAPTER = edu.course.chapter_numbers


def step_price(preset: str) -> float:
    """FLOPs of an ELECTRA step over those of a BERT step, by the paper's own way to count."""
    config = edu.preset(preset)
    electra, bert = (edu.efficiency.official_flops(each) for each in (config, config.replace(objective="bert")))
    return electra["total"] / bert["total"]


COMPUTED = {
    "chapter-masked": lambda: f"{CHAPTER.mlm_efficiency()['masked']:.0f}",
    "masked-512": lambda: str(edu.efficiency.learning_signal(edu.preset("paper-base")).mlm.positions),
    "table5-mask-gain": lambda: f"{float(claims()['table5-replace'].value) - float(claims()['table5-bert'].value):.1f}",
    "official-step-base": lambda: f"{step_price('paper-base'):.2f}",
    "demo-masked": lambda: f"{0.203125 * 64:.0f} of 64",
    "distinct-19": lambda: f"{125 * (1 - (124 / 125) ** 19):.1f}",
    "demo-generator": lambda: f"{CHAPTER.demo_generator_parameters():,}",
    "demo-rate": lambda: "18.4%" if f"{binary_entropy(0.184):.3f}" == "0.477" else "",
    "demo-discriminator": lambda: f"{CHAPTER.demo_discriminator_parameters():,}",
    "chapter-bits": lambda: f"{CHAPTER.learning_signal()['MLM bits']:.0f}",
    "chapter-ratio": lambda: f"{512 / 76:.1f}",
    "lambda-sums": lambda: f"{50 / 0.15:.0f}",
    "ln-bert": lambda: f"{math.log(30_522):.1f}",
    "floor-15": lambda: f"{binary_entropy(0.15):.2f}",
    "floor-6": lambda: f"{binary_entropy(0.06):.2f}",
    "tiny-floor": lambda: f"{binary_entropy(0.15 * (1 - 0.35)):.2f}",
    "lambda-sum": lambda: f"{50 * 0.15:.1f}",
}


@pytest.mark.parametrize("name", [name for name, claim in claims().items() if claim.kind == "computed"])
def test_a_computed_figure_is_right(name: str) -> None:
    assert COMPUTED[name]() == claims()[name].value


def test_the_papers_table_5_agrees_with_what_is_said_about_it() -> None:
    score = {
        name: float(claims()[f"table5-{name}"].value) for name in ("bert", "replace", "electra15", "all", "electra")
    }
    assert [*score.values()] == sorted(score.values())
    assert round(score["all"] - score["bert"], 1) == 2.1
    assert round(score["electra"] - score["bert"], 1) == 2.8
    assert round(score["replace"] - score["bert"], 1) == 0.2


def test_the_figures_of_the_log_determine_its_share_of_fakes() -> None:
    """Accuracy, recall and precision leave one share p: 1 − accuracy = p·((1 − recall) + recall·(1 − P)/P)."""
    accuracy, recall, precision = (float(claims()[f"log-{name}"].value) for name in ("accuracy", "recall", "precision"))
    p = (1 - accuracy) / ((1 - recall) + recall * (1 - precision) / precision)
    assert p == pytest.approx(0.1375, abs=0.0005)
    assert 1 - p < accuracy  # a little better than the majority class, as its AUC above one half says too
    assert float(claims()["log-auc"].value) > 0.5

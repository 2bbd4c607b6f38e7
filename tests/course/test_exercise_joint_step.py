"""The exercise of lesson 06: two right steps pass, and each usual mistake is told what was seen and why."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from exercise_feedback import assert_feedback
from small import LENGTH, rng, small_config, small_corpus
from torch import Tensor

import electra_edu as edu
from electra_edu.course.exercises import Feedback, examine, exercise
from electra_edu.course.exercises.joint_step import PARTS

Function = Callable[..., Any]
EXERCISE = exercise("joint_step")
MASK = 4


def guessed(parts: Any, logits: Tensor, tokens: Tensor, is_masked: Tensor, rng: torch.Generator) -> Tensor:
    """Return the tokens with drawn ones in the gaps."""
    guesses = tokens.clone()
    guesses[is_masked] = parts.draw(logits[is_masked], 1.0, rng)
    return guesses


def as_hinted(
    parts: Any, model: Any, tokens: Tensor, is_masked: Tensor, is_real: Tensor, rtd_weight: float, rng: torch.Generator
) -> Tensor:
    logits = model.generator(tokens.masked_fill(is_masked, MASK), is_real)
    guesses = guessed(parts, logits, tokens, is_masked, rng)
    read, labels = parts.fill_in(tokens, is_masked, guesses)
    loss: Tensor = parts.mlm_loss(logits, tokens, is_masked)
    return loss + rtd_weight * parts.rtd_loss(model.discriminator(read, is_real), labels, is_real)


def by_draws_everywhere(
    parts: Any, model: Any, tokens: Tensor, is_masked: Tensor, is_real: Tensor, rtd_weight: float, rng: torch.Generator
) -> Tensor:
    logits = model.generator(torch.where(is_masked, MASK, tokens), is_real)
    guesses = parts.draw(logits.flatten(0, 1).detach(), 1.0, rng).view_as(tokens)
    read, labels = parts.fill_in(tokens, is_masked, guesses)
    terms = (
        parts.mlm_loss(logits, tokens, is_masked),
        parts.rtd_loss(model.discriminator(read, is_real), labels, is_real),
    )
    return torch.stack([terms[0], rtd_weight * terms[1]]).sum()


def changed(**how: Any) -> Function:
    """Return the right step with one thing done otherwise."""

    def step(
        parts: Any,
        model: Any,
        tokens: Tensor,
        is_masked: Tensor,
        is_real: Tensor,
        rtd_weight: float,
        rng: torch.Generator,
    ) -> Any:
        hidden = tokens if how.get("sees") else tokens.masked_fill(is_masked, MASK)
        logits = model.generator(hidden) if how.get("no_mask") == "generator" else model.generator(hidden, is_real)
        again = model.generator(hidden, is_real) if how.get("twice") else logits
        guesses = guessed(parts, again, tokens, is_masked, rng)
        read, labels = parts.fill_in(tokens, is_masked, guesses)
        read = {"mask": hidden, "true": tokens, "shifted": read.roll(1, -1)}.get(how.get("reads", ""), read)
        found = (
            model.discriminator(read) if how.get("no_mask") == "discriminator" else model.discriminator(read, is_real)
        )
        if how.get("soft"):  # a mixture that lets a gradient through, with the same value
            found = found + (logits.sum() - logits.sum().detach())
        labels = is_masked if how.get("labels") == "mask" else labels
        words, verdicts = parts.mlm_loss(logits, tokens, is_masked), parts.rtd_loss(found, labels, is_real)
        if how.get("blocked"):
            words = words.detach()
        sums = {
            "on the wrong one": rtd_weight * words + verdicts,
            "fifty": words + 50 * verdicts,
            "without weight": words + verdicts,
            "words alone": words,
            "verdicts alone": rtd_weight * verdicts,
            "twice": 2 * (words + rtd_weight * verdicts),
        }
        loss = sums.get(how.get("sum", ""), words + rtd_weight * verdicts)
        return loss.item() if how.get("number") else loss

    return step


@pytest.mark.parametrize("right", [as_hinted, by_draws_everywhere, changed(), EXERCISE.reference])
def test_right_answers_pass(right: Function) -> None:
    feedback = examine(EXERCISE, right)
    assert (feedback.state, feedback.fault) == ("right", None)


@pytest.mark.parametrize(
    ("how", "symptom", "cause"),
    [
        ({"twice": True}, "The generator is called 2 times", "Once is right"),
        ({"no_mask": "generator"}, "The generator is called without is_real", "attend to padding"),
        ({"no_mask": "discriminator"}, "The discriminator is called without is_real", "attend to padding"),
        ({"sees": True}, "The generator does not read `masked`", "must not see the words"),
        ({"reads": "mask"}, "does not read the filled-in text", "It reads [MASK]"),
        ({"reads": "true"}, "does not read the filled-in text", "It reads the true tokens"),
        ({"reads": "shifted"}, "does not read the filled-in text", "put each word back where it belongs"),
        ({"sum": "on the wrong one"}, "On a tiny model the loss is", "λ is on the MLM loss"),
        ({"sum": "fifty"}, "On a tiny model the loss is", "use rtd_weight"),
        ({"sum": "without weight"}, "On a tiny model the loss is", "λ is missing"),
        ({"sum": "words alone"}, "On a tiny model the loss is", "The RTD loss is missing"),
        ({"sum": "verdicts alone"}, "On a tiny model the loss is", "The MLM loss is missing"),
        ({"sum": "twice"}, "On a tiny model the loss is", "each with the arguments of its own lesson"),
        ({"labels": "mask"}, "On a tiny model the loss is", "The labels are is_masked"),
        ({"blocked": True}, "No gradient reaches the generator", "Both losses must stay in the sum"),
        ({"soft": True}, "The gradient of the generator is not the one", "No gradient may pass through a drawn word"),
        ({"number": True}, "is of the type float", "must be a tensor"),
    ],
)
def test_mistakes_are_told_apart(how: dict[str, Any], symptom: str, cause: str) -> None:
    assert_feedback(EXERCISE, changed(**how), symptom, cause)


def test_a_network_that_is_never_run() -> None:
    def step(parts: Any, model: Any, tokens: Tensor, *_: Any) -> Tensor:
        return torch.zeros(()) + model.for_generator.sum()

    feedback = examine(EXERCISE, step)
    assert feedback.state == "wrong"
    assert feedback.fault is not None
    assert feedback.fault.symptom == "The generator is called never in one step."
    assert "Both networks are run" in feedback.fault.cause


def test_ours_is_the_library_where_nothing_is_left_to_chance() -> None:
    config = small_config(greedy=True)
    model, tokens = edu.Electra(config, rng(1)), small_corpus().train
    out = model(tokens, rng=rng(3))
    parts = type("Parts", (), {**vars(PARTS), "draw": staticmethod(lambda logits, *_: logits.argmax(-1))})
    loss = EXERCISE.reference(parts, model, tokens, out.is_masked, tokens != 0, config.rtd_weight, rng())
    assert tokens.shape[1] == LENGTH
    torch.testing.assert_close(loss, out.loss)
    right = F.cross_entropy(out.mlm_logits[out.mlm_used], out.mlm_targets[out.mlm_used])
    torch.testing.assert_close(out.mlm_loss, right)


def test_the_starter_is_untouched() -> None:
    found: dict[str, Function] = {}
    exec(EXERCISE.starter, found)
    assert examine(EXERCISE, found["joint_step"]) == Feedback(EXERCISE, "untouched")

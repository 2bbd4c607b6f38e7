"""The public calls of course, plots and widgets, each with valid arguments and their kinds."""

from collections.abc import Callable, Mapping
from pathlib import Path

from argument_cases import Call
from library_calls import toy_run
from matplotlib.figure import Figure
from small import an_evaluation, step_record, toy_corpus

import electra_edu as edu
from electra_edu.plots.blocks import Text


def _course_calls() -> list[Call]:
    course = edu.course
    progress = course.Progress(Path("progress"))
    lesson = {"lesson": "00"}
    return [
        Call("course.lesson", course.lesson, lambda: {"number": "00"}, {"number": "thing"}, {"number": "lesson"}),
        Call("course.exercise", course.exercise, lambda: {"name": "rtd_loss"}, {"name": "thing"}, {"name": "exercise"}),
        Call("course.parts", course.parts, dict, {"progress": "thing?"}),
        Call("course.Progress", course.Progress, dict, {"folder": "text?"}),
        Call("Progress.read", progress.read, dict, {"lesson": "text"}),
        Call("Progress.open", progress.open, dict, {"lesson": "text"}),
        Call("Progress.record_answer", progress.record_answer,
             lambda: {**lesson, "question": "q", "option": 0, "right": True},
             {"lesson": "text", "question": "text", "option": "seed", "right": "flag"}),
        Call("Progress.record_guess", progress.record_guess, lambda: {**lesson, "prediction": "p", "value": 1.5},
             {"lesson": "text", "prediction": "text", "value": "guess?"}),
        Call("Progress.record_exercise", progress.record_exercise,
             lambda: {**lesson, "exercise": "e", "source": "def f(): pass"},
             {"lesson": "text", "exercise": "text", "source": "text"}),
        Call("Progress.export", progress.export, lambda: {"path": Path("a.json")}, {"path": "text"}),
        Call("Progress.reset", progress.reset, lambda: lesson, {"lesson": "text?"}),
        Call("Progress.level", lambda level: setattr(progress, "level", level), dict, {"level": "thing"}),
        Call("check", edu.check, lambda: {"name": "rtd_loss", "function": lambda: None}, {"name": "thing"},
             {"name": "exercise"}),
    ]  # fmt: skip


def _plot_calls() -> list[Call]:
    plots = edu.plots

    def axes() -> dict[str, object]:
        return {"axes": Figure().subplots()}

    def with_history() -> dict[str, object]:
        return {**axes(), "history": [step_record(1), step_record(2)]}

    over_steps = {"axes": "thing", "history": "no records"}
    return [
        *(Call(f"plots.{draw.__name__}", draw, with_history, over_steps)
          for draw in (plots.rtd_loss, plots.generator_scores, plots.gradient_shares)),
        Call("plots.mlm_loss", plots.mlm_loss, with_history, {**over_steps, "unigram_entropy": "number?"}),
        Call("plots.learning", plots.learning, lambda: {**with_history(), "evaluations": [an_evaluation(1)]},
             {**over_steps, "evaluations": "no records", "probes": "empty dict?", "task": "text"}),
        Call("plots.machine", plots.machine, axes, {"axes": "thing", "lit": "no records?"}),
        Call("plots.token_strip", plots.token_strip, lambda: {**axes(), "tokens": [("a", 0.5)]},
             {"axes": "thing", "tokens": "no records", "originals": "no records", "per_row": "whole number > 0"}),
        Call("plots.smooth", plots.smooth, lambda: {"y": [1.0, 2.0], "half_life": 2.0},
             {"y": "values", "half_life": "number > 0"}),
        Call("plots.draw_blocks", plots.draw_blocks, lambda: {"figure": Figure(), "blocks": [Text("a")]},
             {"figure": "thing", "blocks": "no records"}),
        Call("plots.blocks_height", plots.blocks_height, lambda: {"blocks": [Text("a")]}, {"blocks": "no records"}),
    ]  # fmt: skip


def _widget_calls() -> list[Call]:
    panels = edu.widgets
    of_a_run = (panels.LabelExplorer, panels.MaskedModel, panels.TrainingLab, panels.VerdictsOverTraining)
    return [
        *(Call(f"widgets.{panel.__name__}", panel, lambda: {"run": toy_run()}, {"run": "thing"}) for panel in of_a_run),
        Call("widgets.TypedSentence", panels.TypedSentence, lambda: {"run": toy_run()},
             {"run": "thing", "text": "text?"}),
        Call("widgets.Stepper", panels.Stepper, lambda: {"run": toy_run()}, {"run": "thing", "seed": "seed"}),
        Call("widgets.FindTheFakes", panels.FindTheFakes, lambda: {"run": toy_run()},
             {"run": "thing", "seed": "seed", "seconds": "number > 0"}),
        Call("widgets.GeneratorBench", panels.GeneratorBench, lambda: {"runs": [toy_run()]}, {"runs": "thing"}),
        Call("widgets.MaskExplorer", panels.MaskExplorer, lambda: {"corpus": toy_corpus()},
             {"corpus": "thing", "text": "text"}),
        *(Call(f"widgets.{panel.__name__}", panel, lambda: {"number": "00"}, {"number": "thing", "progress": "thing?"},
               {"number": "lesson"}) for panel in (panels.Header, panels.Quiz)),
        Call("widgets.Prediction", panels.Prediction, lambda: {"number": "06", "name": "first"},
             {"number": "thing", "name": "thing", "progress": "thing?"}, {"number": "lesson", "name": "prediction"}),
        Call("widgets.Map", panels.Map, dict, {"progress": "thing?"}),
        Call("widgets.machine", panels.machine, dict, {"lit": "no records?"}),
        Call("widgets.show", panels.show, lambda: {"figure": Figure(), "caption": "a"},
             {"figure": "thing", "caption": "text"}),
    ]  # fmt: skip


DISPLAY_CALLS: Mapping[str, Callable[[], list[Call]]] = {
    "course": _course_calls,
    "plots": _plot_calls,
    "widgets": _widget_calls,
}

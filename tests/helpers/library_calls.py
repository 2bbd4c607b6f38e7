"""The public calls of the library, each with valid arguments and their kinds, for `tests/test_wrong_arguments.py`."""

from collections.abc import Callable, Mapping
from functools import cache

import torch
from argument_cases import IDS, Call
from small import VOCAB_SIZE, rng, small_config, small_run, toy_corpus

import electra_edu as edu

STORY = "\n".join(f"The {who} {i} goes to sea {i + 7} times." for i in range(300) for who in ("cook", "sailor"))


@cache
def run() -> edu.TrainingRun:
    """Return a run that all cases share."""
    made = small_run()
    made.advance(1)
    return made


@cache
def toy_run() -> edu.TrainingRun:
    """Return a run on the toy corpus."""
    return edu.TrainingRun(edu.preset("toy", hidden_size=8, num_heads=1), toy_corpus(), device="cpu")


@cache
def task() -> edu.tasks.Task:
    """Return a task of the toy corpus."""
    return edu.tasks.load_task(toy_corpus(), "topic")


def tokens() -> torch.Tensor:
    """Return a batch."""
    return torch.tensor(IDS)


def _config_calls() -> list[Call]:
    sizes = ("max_position_embeddings", "type_vocab_size", "embedding_size", "num_layers", "num_heads", "batch_size")
    kinds = dict.fromkeys(sizes, "whole number > 0") | {
        "vocab_size": "thing", "max_seq_length": "thing", "hidden_size": "thing",  # 1 is too small for them
        "intermediate_size": "whole number > 0?", "layer_norm_eps": "number > 0", "dropout": "rate0",
        "initializer_range": "number > 0?", "positions": "thing", "generator_size_fraction": "rate or 1",
        "generator_kind": "thing", "mask_prob": "rate", "mask_token_prob": "share", "rtd_weight": "number >= 0",
        "temperature": "number > 0", "greedy": "flag", "disallow_correct": "flag", "weight_sharing": "thing",
        "objective": "thing", "scheme": "thing", "generator_steps": "whole number", "copy_generator": "thing",
        "optimizer": "thing", "learning_rate": "rate or 1", "muon_learning_rate": "rate or 1",
        "max_grad_norm": "number > 0?", "warmup_steps": "whole number", "training_steps": "none",
        "pad_token_id": "zero",
        "unk_token_id": "whole number > 0", "cls_token_id": "thing", "sep_token_id": "thing", "mask_token_id": "thing",
    }  # fmt: skip
    return [
        Call("preset", lambda **changes: edu.preset("toy", **changes), dict, kinds),
        Call("preset(name)", edu.preset, lambda: {"name": "toy"}, {"name": "thing"}),
        Call("ElectraConfig.from_dict", edu.ElectraConfig.from_dict, dict, {"values": "empty dict"}),
    ]


def _model_calls() -> list[Call]:
    model, config = run().average, run().config
    inputs = {"tokens": "tokens", "attention_mask": "mask?", "token_type_ids": "types?"}
    masking = edu.masking.mask(tokens(), config, rng())
    logits, no_repeats = torch.zeros(2, 3, VOCAB_SIZE), small_config(disallow_correct=True)
    return [
        Call("Electra", edu.Electra, lambda: {"config": small_config()}, {"config": "thing", "rng": "thing?"}),
        Call(
            "model()",
            lambda tokens, **others: model(tokens, **others).loss,
            lambda: {"tokens": tokens(), "rng": rng(), "attention_mask": None, "token_type_ids": None},
            {**inputs, "rng": "thing", "trained": "thing"},
        ),
        Call("model.discriminator()", model.discriminator, lambda: {"tokens": tokens()}, inputs),
        Call("model.generator()", model.generator, lambda: {"tokens": tokens()}, {**inputs, "positions": "positions?"}),
        Call("model.config", lambda config: setattr(edu.Electra(small_config()), "config", config), dict,
             {"config": "thing"}),
        Call("masking.mask", edu.masking.mask, lambda: {"tokens": tokens(), "config": config, "rng": rng()},
             {"tokens": "tokens", "config": "thing", "rng": "thing", "attention_mask": "mask?"}),
        Call("masking.is_ordinary", edu.masking.is_ordinary, lambda: {"tokens": tokens(), "config": config},
             {"tokens": "tokens", "config": "thing"}),
        Call("masking.choose_positions", edu.masking.choose_positions,
             lambda: {"ordinary": tokens() > 4, "mask_prob": 0.3, "rng": rng()},
             {"ordinary": "thing", "mask_prob": "rate or 1", "rng": "thing"}),
        Call("masking.corrupt", edu.masking.corrupt,
             lambda: {"tokens": tokens(), "masking": masking, "samples": masking.positions},
             {"tokens": "thing", "masking": "thing", "samples": "thing"}),
        Call("generator.sample", edu.generator.sample, lambda: {"logits": logits, "temperature": 1.0, "rng": rng()},
             {"logits": "scores", "temperature": "number > 0", "rng": "thing"}),
        Call("generator.gumbel_max", edu.generator.gumbel_max,
             lambda: {"logits": logits, "temperature": 1.0, "rng": rng()},
             {"logits": "scores", "temperature": "number > 0", "rng": "thing"}),
        Call("generator.draw", edu.generator.draw,
             lambda: {"logits": logits, "originals": torch.ones(2, 3).long(), "config": no_repeats, "rng": rng()},
             {"logits": "thing", "originals": "thing", "config": "thing", "rng": "thing"}),
    ]  # fmt: skip


def _metric_calls() -> list[Call]:
    m = edu.metrics
    two = {"probabilities": torch.tensor([0.2, 0.7]), "labels": torch.tensor([0, 1])}
    scores = {"scores": torch.tensor([0.2, 0.7]), "labels": torch.tensor([0, 1])}
    things = {"probabilities": "thing", "labels": "thing"}
    is_replaced = torch.tensor([[True, False, False]])
    counts = dict.fromkeys(("tokens", "replaced", "flagged", "true_positives"), "number >= 0")
    return [
        Call("metrics.binary_entropy", m.binary_entropy, lambda: {"p": 0.5}, {"p": "share or nan"}),
        Call("metrics.auc", m.auc, lambda: scores, {"scores": "thing", "labels": "thing"}),
        Call("metrics.roc_curve", m.roc_curve, lambda: scores, {"scores": "thing", "labels": "thing"}),
        Call("metrics.detection_at", m.detection_at, lambda: two, {**things, "threshold": "number or nan"}),
        Call("metrics.choose_threshold", m.choose_threshold, lambda: two, {**things, "precision": "rate or 1?"}),
        Call("metrics.reliability_curve", m.reliability_curve, lambda: two, {**things, "bins": "whole number > 0"}),
        Call("metrics.expected_calibration_error", m.expected_calibration_error, lambda: two,
             {**things, "bins": "whole number > 0"}),
        Call("metrics.detection", m.detection, lambda: dict.fromkeys(counts, 1), counts),
        Call("metrics.detection_counts", m.detection_counts,
             lambda: {"logits": torch.zeros(1, 3), "is_replaced": is_replaced, "counted": is_replaced},
             dict.fromkeys(("logits", "is_replaced", "counted"), "thing"), {"logits": "logits"}),
    ]  # fmt: skip


def _efficiency_calls() -> list[Call]:
    e, chapter = edu.efficiency, edu.course.chapter_numbers
    return [
        *(Call(f"efficiency.{f.__name__}", f, lambda: {"config": small_config()}, {"config": "thing"})
          for f in (e.parameters, e.memory)),
        Call("efficiency.flops", e.flops, lambda: {"config": small_config()},
             {"config": "thing", "steps": "whole or huge", "trained": "thing"}),
        Call("efficiency.official_flops", e.official_flops, lambda: {"config": small_config(), "steps": 5},
             {"config": "thing", "steps": "whole or huge"}),
        Call("efficiency.official_inference_flops", e.official_inference_flops, lambda: {"config": small_config()},
             {"config": "thing", "length": "huge > 0"}),
        Call("efficiency.learning_signal", e.learning_signal, lambda: {"config": small_config()},
             {"config": "thing", "replaced_rate": "share?", "word_frequencies": "frequencies?"}),
        Call("course.chapter_numbers.mlm_efficiency", chapter.mlm_efficiency, dict,
             {"length": "whole number > 0", "mask_prob": "share"}),
        Call("course.chapter_numbers.estimated_parameters", chapter.estimated_parameters, lambda: {"size": "small"},
             {"size": "thing"}),
    ]  # fmt: skip


def _learning_calls() -> list[Call]:
    encoder = toy_run().average.encoder
    settings = edu.finetuning.FineTuningSettings(min_steps=1, epochs=1)
    guess = {"guesses": torch.tensor([1, 0]), "labels": torch.tensor([1, 1])}
    classifier = edu.finetuning.SequenceClassifier(run().average.encoder, 2, rng())
    fine = {"source": "thing", "task": "thing", "labels_per_class": "whole number > 0?", "seeds": "seeds"}
    probed = {
        "model": "thing",
        "corpus": "thing",
        "seed": "seed",
        "draws": "whole number > 0",
        "layer": "whole number?",
    }
    fields = {
        "learning_rate": "rate or 1", "layerwise_decay": "rate or 1", "off_by_one": "flag", "warmup_share": "rate0",
        "weight_decay": "rate0", "max_grad_norm": "number > 0", "dropout": "rate0", "head": "thing",
        "batch_size": "whole number > 0", "epochs": "whole number > 0", "min_steps": "whole number",
        "validation_share": "rate0", "patience": "whole number > 0",
    }  # fmt: skip
    return [
        Call("probes.probe", edu.probes.probe,
             lambda: {"model": encoder, "corpus": toy_corpus(), "task": "topic", "draws": 1},
             {**probed, "task": "thing"}),
        Call("tasks.task_names", edu.tasks.task_names, lambda: {"corpus": toy_corpus()}, {"corpus": "thing"}),
        Call("tasks.load_task", edu.tasks.load_task, lambda: {"corpus": toy_corpus(), "name": "topic"},
             {"corpus": "thing", "name": "thing", "seed": "seed"}, {"name": "="}),
        Call("Task.few(per_class)", task().few, lambda: {"rng": rng(), "per_class": 2},
             {"rng": "thing", "per_class": "whole number > 0"}),
        Call("Task.few(total)", task().few, lambda: {"rng": rng(), "total": 2}, {"total": "whole number > 0"}),
        Call("Task.hold_out", task().hold_out, lambda: {"share": 0.2, "rng": rng()},
             {"share": "share", "rng": "thing"}),
        Call("Task.score", task().score, lambda: {"guesses": task().test_labels}, {"guesses": "thing"}),
        Call("tasks.accuracy", edu.tasks.accuracy, lambda: guess, {"guesses": "thing", "labels": "thing"}),
        Call("tasks.macro_f1", edu.tasks.macro_f1, lambda: guess, {"guesses": "thing", "labels": "thing"}),
        Call("finetuning.FineTuningSettings", edu.finetuning.FineTuningSettings, dict, fields),
        Call("finetuning.fine_tune", edu.finetuning.fine_tune,
             lambda: {"source": encoder, "task": task(), "labels_per_class": 1, "seeds": (0,), "settings": settings},
             {**fine, "settings": "thing", "n_labels": "none"}, {"n_labels": "total", "labels_per_class": "per_class"}),
        Call("finetuning.learning_curve", edu.finetuning.learning_curve,
             lambda: {"source": encoder, "task": task(), "labels_per_class": (1,), "seeds": (0,), "settings": settings},
             {"labels_per_class": "numbers", "seeds": "seeds"}),
        Call("finetuning.layerwise_rates", edu.finetuning.layerwise_rates,
             lambda: {"learning_rate": 0.1, "decay": 0.8, "num_layers": 2},
             {"learning_rate": "number >= 0", "decay": "share", "num_layers": "whole number", "off_by_one": "flag"}),
        Call("finetuning.SequenceClassifier", edu.finetuning.SequenceClassifier,
             lambda: {"encoder": run().average.encoder, "n_labels": 2, "rng": rng()},
             {"encoder": "thing", "n_labels": "whole number > 0", "rng": "thing", "head": "thing", "dropout": "rate0"}),
        Call("classifier()", classifier, lambda: {"tokens": tokens()},
             {"tokens": "tokens", "attention_mask": "mask?", "token_type_ids": "types?"}),
        Call("finetuning.predict", edu.finetuning.predict, lambda: {"model": classifier, "tokens": tokens()},
             {"model": "thing", "tokens": "tokens", "attention_mask": "mask?"}),
    ]  # fmt: skip


def _detection_calls() -> list[Call]:
    source = {"source": "thing", "text": "text", "tokenizer": "thing?"}
    right = {"text": "the cook stirs soup"}
    return [
        Call("detect", edu.detect, lambda: {"source": run(), **right}, source),
        Call("detect_words", edu.detection.detect_words, lambda: {"source": run(), **right}, source),
        Call("calibrate", edu.detection.calibrate, lambda: {"run": run()},
             {"run": "thing", "fakes": "thing", "precision": "rate or 1?"}),
        Call("load_corpus(name)", edu.load_corpus, dict, {"name_or_path": "none"}, {"name_or_path": ""}),
        Call("load_corpus(text)", edu.load_corpus, lambda: {"text": "a"}, {"text": "none"}),
        Call("load_corpus(vocab_size)", edu.load_corpus,
             lambda: {"text": STORY, "vocab_size": 200, "max_seq_length": 16},
             {"vocab_size": "none", "max_seq_length": "none"}),
    ]  # fmt: skip


def _run_calls() -> list[Call]:
    made = run()
    made.save("run")  # in a folder of the test
    live = ("rtd_weight", "temperature", "mask_prob", "learning_rate", "muon_learning_rate")
    kinds = dict.fromkeys(live, "number > 0") | {"mask_prob": "rate", "rtd_weight": "number >= 0"}
    return [
        Call("TrainingRun", edu.TrainingRun,
             lambda: {"config": small_config(), "corpus": made.corpus, "device": "cpu"},
             {"config": "thing", "corpus": "thing", "seed": "seed", "device": "thing"}),
        Call("run.advance", made.advance, lambda: {"steps": 0}, {"steps": "whole number", "trained": "thing?"}),
        Call("run.change", made.change, dict, kinds | dict.fromkeys(live[3:], "rate or 1")),
        Call("run.change(another)", made.change, dict, dict.fromkeys(("hidden_size", "optimizer", "x"), "thing")),
        Call("run.save", made.save, lambda: {"directory": "run"}, {"directory": "text"}),
        Call("TrainingRun.load", edu.TrainingRun.load, lambda: {"directory": "run", "corpus": made.corpus},
             {"directory": "text", "corpus": "thing", "device": "thing"}, {"directory": ""}),
    ]  # fmt: skip


LIBRARY_CALLS: Mapping[str, Callable[[], list[Call]]] = {
    "config": _config_calls,
    "model": _model_calls,
    "metrics": _metric_calls,
    "efficiency": _efficiency_calls,
    "run": _run_calls,
    "learning": _learning_calls,
    "detection": _detection_calls,
}

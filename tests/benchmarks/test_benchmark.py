"""The benchmarks: that what is timed is a real step, that all do the same work, and the arithmetic of the timing."""

import json
import math
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType, ModuleType, SimpleNamespace
from typing import Any

import pytest
import torch
from small import count, rng
from torch import Tensor, nn
from typer.testing import CliRunner

import benchmarks
from benchmarks import SHAPES, Shape, contest, growth, shape_named, slopes
from benchmarks.chapter_step import chapter, fill
from benchmarks.contest import contenders
from benchmarks.growth import MIDDLE, VARIED, last_slope
from benchmarks.memory import memory_of
from benchmarks.ours import RecordedStep, plain, random_corpus
from benchmarks.peers import electra_pytorch_step, transformers_eager, transformers_step
from benchmarks.steps import AdamStep, Factory, seeded
from benchmarks.timing import Measurement, Timing, measure
from electra_edu import efficiency, plots
from electra_edu.cli import app
from electra_edu.experiments.hardware import _cpu, hardware
from electra_edu.support.errors import ElectraEduError

CPU, FLOAT32 = torch.device("cpu"), torch.float32
TINY = Shape("tiny", 64, 12, 8, 16, 16, 2, 2, 8)
LEAST_KNOWN = math.log(TINY.vocab_size) + 50 * math.log(2)  # the loss of two networks that know nothing
INSTALLED = {  # everyone who runs wherever the tests do
    "electra_edu": plain,
    "electra_edu, recorded": lambda *where: RecordedStep(*where, batches=1),  # so that it too sees one batch only
    "transformers": transformers_step,
    "transformers, eager": transformers_eager,
    "chapter": chapter,
}


def build(factory: Factory, shape: Shape = TINY) -> Any:
    with seeded(CPU):
        return factory(shape, CPU, FLOAT32)


def one_batch(shape: Shape = TINY) -> Tensor:
    return shape.tokens(1, rng())[0]


# Shapes


def test_shapes_are_what_the_config_makes_of_them() -> None:
    for name, shape in SHAPES.items():
        config = shape.config()
        assert shape.name == name
        assert (config.generator.hidden_size, config.generator.intermediate_size) == (
            shape.generator_hidden_size,
            4 * shape.generator_hidden_size,
        )
        # The generator's heads are as wide as the discriminator's.
        assert config.generator.head_size == config.discriminator.head_size
        assert (config.batch_size, config.max_seq_length) == (shape.batch_size, shape.seq_length)
        assert (config.optimizer, config.dropout, config.rtd_weight, config.positions) == ("adamw", 0, 50, "learned")


def test_small_and_base_are_the_papers() -> None:
    """14 million weights of ELECTRA-Small's discriminator and 110 million of Base's, as the paper says."""
    millions = {name: efficiency.parameters(SHAPES[name].config())["discriminator"] / 1e6 for name in SHAPES}
    assert millions["small"] == pytest.approx(14, abs=0.5)
    assert millions["base"] == pytest.approx(110, abs=1)


def test_tokens_are_ordinary_between_cls_and_sep_and_repeat() -> None:
    tokens = TINY.tokens(3, rng(1))
    assert tokens.shape == (3, 8, 12)
    assert (tokens[..., 0] == 2).all()
    assert (tokens[..., -1] == 3).all()
    assert (tokens[..., 1:-1].min(), tokens[..., 1:-1].max()) == (5, 63)
    assert torch.equal(tokens, TINY.tokens(3, rng(1)))
    assert not torch.equal(tokens[0], tokens[1])


def test_an_unknown_shape_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        ElectraEduError, match=r"no shape 'smal'\. Did you mean 'small'\? Shapes: toy, lab, small, base"
    ):
        shape_named("smal")


# Contenders


@pytest.mark.parametrize("name", INSTALLED)
def test_a_step_starts_at_knowing_nothing_and_learns(name: str) -> None:
    """Networks drawn small are within 0.5 of ln V + 50 ln 2: their logits have a standard deviation below 0.1.

    The chapter's last layers are PyTorch's default, weights and bias uniform on ±1/√width. Of normalised states of
    width 16 that makes verdicts z of variance ⅓ + 1/48, |mean| at most about ½, and
    50 · (E z · (½ - 0.15) + E z² / 8) < 50 · (0.18 + 0.08) = 13 more or less; an RTD loss that is not weighted, or is
    a sum, is off by more than 30.
    """
    step, tokens = build(INSTALLED[name]), one_batch()
    with seeded(CPU):
        losses = [float(step(tokens)) for _ in range(30)]
    assert losses[0] == pytest.approx(LEAST_KNOWN, abs=13 if name == "chapter" else 0.5)
    assert losses[-1] < losses[0] - 1


@pytest.mark.parametrize("name", INSTALLED)
def test_a_step_changes_every_parameter(name: str) -> None:
    """Two steps: our verdict layer starts at zero, so that only the second reaches what is below it."""
    step = build(INSTALLED[name])
    before = [parameter.detach().clone() for parameter in step.parameters]
    with seeded(CPU):
        step(one_batch())
        step(one_batch())
    still = [i for i, old in enumerate(before) if torch.equal(old, step.parameters[i])]
    assert not still


@pytest.mark.parametrize("name", ["electra_edu", "electra_edu, recorded", "transformers", "transformers, eager"])
@pytest.mark.parametrize("shape", [TINY, replace(TINY, embedding_size=8)])  # with the projection too
def test_the_peers_tie_what_we_tie(name: str, shape: Shape) -> None:
    step = build(INSTALLED[name], shape)
    assert sum(parameter.numel() for parameter in step.parameters) == efficiency.parameters(shape.config())["total"]


def test_the_chapter_ties_nothing() -> None:
    """By hand: an embedding, positions and norm, the blocks with all their biases, and a vocabulary layer apart."""

    def reader(width: int) -> int:
        block = 4 * width * width + 4 * width + 8 * width * width + 5 * width + 4 * width
        return (64 + 512) * width + 2 * width + 2 * block

    generator, discriminator = build(chapter).modules
    assert count(generator) == reader(8) + (8 * 8 + 8) + 2 * 8 + (8 * 64 + 64)
    assert count(discriminator) == reader(16) + 16 + 1


def test_all_train_with_the_same_adamw() -> None:
    rates = []
    for name, factory in INSTALLED.items():
        step = build(factory)
        (optimizer,) = step.run.optimizers if name == "electra_edu, recorded" else [step.optimizer]
        assert type(optimizer) is torch.optim.AdamW
        (group,) = optimizer.param_groups
        rates.append((group["lr"], group["betas"], group["eps"], group["weight_decay"], group["fused"]))
    assert len(set(rates)) == 1


def test_a_step_forgets_the_gradients_of_the_last() -> None:
    """The gradient of the sum of w · x is x: after two steps that of the second x, not of both."""
    layer = nn.Linear(3, 1, bias=False)
    step = AdamStep([layer, layer], lambda x: layer(x).sum(), TINY.config(), CPU, FLOAT32)
    assert len(step.parameters) == 1  # tied: once
    step(torch.tensor([1.0, 2.0, 3.0]))
    step(torch.tensor([5.0, 0.0, -1.0]))
    assert layer.weight.grad is not None
    assert layer.weight.grad.tolist() == [[5.0, 0.0, -1.0]]


def test_attention_is_the_one_asked_for() -> None:
    kinds = [build(f).modules[1].config._attn_implementation for f in (transformers_step, transformers_eager)]
    assert kinds == ["sdpa", "eager"]


def test_the_chapter_runs_its_generator_twice() -> None:
    step, calls = build(chapter), []
    for module in step.modules:
        module.register_forward_hook(lambda module, _inputs, _output: calls.append((module, torch.is_grad_enabled())))
    step(one_batch())
    generator, discriminator = step.modules
    assert calls == [(generator, True), (generator, False), (discriminator, True)]


def test_the_chapter_fills_masked_positions_only() -> None:
    """A generator that is sure of token 7 puts it everywhere it may, and nowhere else."""
    hidden, is_masked = one_batch(), torch.rand(8, 12, generator=rng()) < 0.3
    is_masked[0] = False  # a row without any
    sure = nn.functional.one_hot(torch.full((8, 12), 7), 64) * 1e4

    class Sure(nn.Module):
        def forward(self, tokens: Tensor) -> Tensor:
            return sure

    filled = fill(Sure(), hidden, is_masked, rng())
    assert torch.equal(filled, hidden.masked_fill(is_masked, 7))


def test_a_recorded_step_is_a_real_one() -> None:
    step = build(RecordedStep)
    loss = step(one_batch())
    (record,) = step.run.history
    assert float(loss) == pytest.approx(record.loss)
    assert record.tokens == TINY.tokens_per_step
    corpus = random_corpus(TINY, 3)
    assert (corpus.vocab_size, corpus.train.shape) == (64, (24, 12))


def test_steps_under_autocast_do_their_products_in_bfloat16() -> None:
    """The recorded step too: what its discriminator returns shows the type; the weights stay in float32."""
    kinds = {}
    for name in ("electra_edu", "electra_edu, recorded"):
        with seeded(CPU):
            step: Any = INSTALLED[name](TINY, CPU, torch.bfloat16)  # type: ignore[operator]
        model = step.run.model if name == "electra_edu, recorded" else step.modules[0]
        model.main.register_forward_hook(lambda _m, _i, logits, name=name: kinds.update({name: logits.dtype}))
        step(one_batch())
        assert {parameter.dtype for parameter in step.parameters} == {torch.float32}
    assert set(kinds.values()) == {torch.bfloat16}
    assert len(kinds) == 2


class FakeElectra(nn.Module):
    """Stands in for electra-pytorch's trainer, and keeps what it was built with."""

    def __init__(self, generator: nn.Module, discriminator: nn.Module, **settings: Any) -> None:
        super().__init__()
        self.generator, self.discriminator, self.settings = generator, discriminator, settings

    def forward(self, tokens: Tensor) -> SimpleNamespace:
        mlm_logits, rtd_logits = self.generator(tokens), self.discriminator(tokens)
        self.shapes = (mlm_logits.shape, rtd_logits.shape)
        return SimpleNamespace(loss=mlm_logits.square().mean() + rtd_logits.square().mean())


def test_electra_pytorch_gets_two_networks_that_return_logits(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = ModuleType("electra_pytorch")
    fake.Electra = FakeElectra  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "electra_pytorch", fake)
    step = build(electra_pytorch_step)
    step(one_batch())
    (trainer,) = step.modules
    assert trainer.shapes == ((8, 12, 64), (8, 12))
    assert trainer.settings == {"mask_token_id": 4, "pad_token_id": 0, "mask_ignore_token_ids": [2, 3]}
    assert sum(p.numel() for p in step.parameters) == efficiency.parameters(TINY.config())["total"]


def test_electra_pytorch_itself_learns() -> None:
    pytest.importorskip("electra_pytorch")
    step, tokens = build(electra_pytorch_step), one_batch()
    with seeded(CPU):
        losses = [float(step(tokens)) for _ in range(30)]
    assert losses[0] == pytest.approx(LEAST_KNOWN, abs=0.5)
    assert losses[-1] < losses[0] - 1


def test_a_missing_peer_is_named_and_the_rest_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "electra_pytorch", None)
    steps, notes = contenders(TINY, CPU, FLOAT32)
    assert [*steps] == [*INSTALLED]
    assert len(notes) == 1
    assert notes[0].startswith("electra-pytorch did not run")
    assert notes[0].endswith("pip install --no-deps electra-pytorch==0.1.2")
    monkeypatch.setitem(sys.modules, "transformers", None)
    steps, notes = contenders(TINY, CPU, FLOAT32)
    assert [*steps] == ["electra_edu", "electra_edu, recorded", "chapter"]
    assert 'pip install "electra-edu[bench]"' in notes[0]


def test_a_contest_leaves_the_users_random_state_alone() -> None:
    before = torch.get_rng_state()
    contest(TINY, rounds=1, seconds=1e-6)
    assert torch.equal(torch.get_rng_state(), before)


# Timing


class Clock:
    """Time that passes only where a test says so."""

    def __init__(self) -> None:
        self.now, self.order = 0.0, ""

    def __call__(self) -> float:
        return self.now

    def step(self, name: str, seconds: Callable[[int], float]) -> Callable[[Tensor], None]:
        """Return a step that takes `seconds(how many were taken before)`."""
        taken = [0]

        def step(tokens: Tensor) -> None:
            self.now += seconds(taken[0])
            self.order += name
            taken[0] += 1

        return step

    def product(self) -> float:
        self.now += 0.5
        self.order += "|"
        return 100.0


def test_a_measurement_by_hand() -> None:
    """Three warm-up steps each, then 0.25 s are 1 step of a and 2 of b; the order moves on by one each round."""
    clock = Clock()
    steps = {
        "a": clock.step("a", lambda taken: 0.25 if taken < 3 else (0.25, 0.5, 0.375)[taken - 3]),
        "b": clock.step("b", lambda taken: 1.0 if taken == 0 else 0.125 if taken < 7 else 0.25),  # slow at its first
        "c": clock.step("c", lambda taken: 9.0),  # longer than a turn: still one step
    }
    faults = iter(range(0, 1000, 6))
    found = measure(
        steps, torch.zeros(1), rounds=3, seconds=0.25, product=clock.product, clock=clock, faults=lambda: next(faults)
    )
    assert clock.order == "aaabbbccc|" + "abbc|" + "bbca|" + "cabb|"
    assert {name: timing.steps for name, timing in found.timings.items()} == {"a": 1, "b": 2, "c": 1}
    assert found.timings["a"].seconds == (0.25, 0.5, 0.375)
    assert found.timings["b"].seconds == (0.125, 0.125, 0.25)
    assert (found.timings["a"].median, found.timings["a"].least) == (0.375, 0.25)
    assert found.product_rates == (200.0, 200.0, 200.0)  # 100 operations in 0.5 s
    assert found.timings["a"].median_faults == 6
    assert found.timings["b"].median_faults == 3  # of two steps


def test_ratios_are_paired_round_by_round() -> None:
    """Ratios 2, 3 and 4, median 3; of the medians it would be 30 / 8 = 3.75."""
    timings = {
        "ours": Timing("ours", 1, (5.0, 10.0, 8.0), ()),
        "fast": Timing("fast", 1, (10.0, 30.0, 32.0), ()),
        "slow": Timing("slow", 1, (1.0, 40.0, 50.0), ()),  # fastest in one round, not in the median
    }
    found = Measurement(timings, (50.0, 400.0, 100.0))
    assert found.best_of(["slow", "fast", "absent"]) == "fast"
    assert found.best_of(["absent"]) is None
    assert found.ratio("ours", "fast") == 3
    assert found.ratio("fast", "fast") == 1
    assert found.share("ours", 80.0) == pytest.approx(80 / 8 / 100)
    assert found.timings["ours"].median_faults is None


def test_every_contender_goes_through_the_batches_in_turn() -> None:
    clock, seen = Clock(), []

    def step(tokens: Tensor) -> None:
        clock.now += 1
        seen.append(int(tokens))

    measure({"a": step}, torch.arange(3), rounds=2, seconds=2, product=clock.product, clock=clock)
    assert seen == [0, 1, 2, 0, 1, 2, 0]


def test_the_device_is_waited_for_around_every_reading_of_the_clock() -> None:
    """Work that is only queued when a step returns, and done in `synchronise`, counts for the contender that queued."""
    clock, queued = Clock(), [0.0]

    def wait() -> None:
        clock.now += queued[0]
        queued[0] = 0.0

    def launch(seconds: float) -> Callable[[Tensor], None]:
        return lambda _tokens: queued.__setitem__(0, queued[0] + seconds)

    def product() -> float:
        queued[0] += 4.0
        return 8.0

    steps = {"a": launch(1.0), "b": launch(2.0)}
    found = measure(steps, torch.zeros(1), rounds=2, seconds=2, product=product, synchronise=wait, clock=clock)
    assert found.timings["a"].seconds == (1.0, 1.0)
    assert found.timings["b"].seconds == (2.0, 2.0)
    assert found.product_rates == (2.0, 2.0)


@pytest.mark.parametrize("wrong", [{"rounds": 0}, {"seconds": 0.0}])
def test_no_rounds_and_no_time_are_refused(wrong: dict[str, Any]) -> None:
    settings = {"rounds": 1, "seconds": 1.0} | wrong
    with pytest.raises(ElectraEduError, match=f"{next(iter(wrong))}=0.*: must be above 0"):
        measure({}, torch.zeros(1), product=lambda: 1.0, **settings)


def test_a_contest_adds_up() -> None:
    found = contest(TINY, rounds=2, seconds=1e-6)
    rows = {row["contender"]: row for row in found["rows"]}
    assert set(INSTALLED) <= set(rows)
    assert found["operations"] == efficiency.flops(TINY.config())["total"]
    assert rows[found["best_peer"]]["ratio"] == 1
    assert not found["best_peer"].startswith("electra_edu")
    for row in rows.values():
        assert len(row["seconds"]) == 2
        assert row["tokens_per_second"] == pytest.approx(96 / row["median"])
        assert row["share"] == pytest.approx(found["operations"] / row["median"] / found["product_rate"])


def test_hardware_is_plain_values() -> None:
    about = hardware(CPU)
    assert json.loads(json.dumps(about)) == about
    assert about["cpu"]
    assert about["torch"] == torch.__version__
    assert about["gpu"] is None


def test_processors_of_one_name_are_told_apart(tmp_path: Path) -> None:
    info = tmp_path / "cpuinfo"
    for said, name in (
        ("processor\t: 0\ncpu family\t: 26\nmodel\t\t: 2\nmodel name\t: AMD EPYC\n", "AMD EPYC (family 26, model 2)"),
        ("model name\t: ARMv8\n", "ARMv8"),
    ):
        info.write_text(said, encoding="utf-8")
        assert _cpu(info) == name
    assert _cpu(tmp_path / "nothing")


# Growth


def test_growth_varies_one_size_at_a_time() -> None:
    middle = vars(MIDDLE)
    may_change = {
        "sequence length": {"seq_length", "batch_size"},  # the tokens of a step stay as many
        "width": {"hidden_size", "generator_hidden_size"},
        "layers": {"num_layers"},
        "vocabulary": {"vocab_size"},
    }
    for name, family in VARIED.items():
        shapes = [family.change(MIDDLE, size) for size in family.sizes]
        assert len(family.sizes) >= 4
        assert all(2 * small == large for small, large in zip(family.sizes, family.sizes[1:], strict=False))
        assert MIDDLE in shapes
        for shape in shapes:
            assert {field for field, value in vars(shape).items() if value != middle[field]} <= may_change[name]
            shape.config()  # can be built
            if name == "sequence length":
                assert shape.tokens_per_step == MIDDLE.tokens_per_step
            if name == "width":
                assert 2 * shape.generator_hidden_size == shape.hidden_size


def test_growth_gives_a_row_for_each_size() -> None:
    varied = {name: replace(VARIED[name], sizes=sizes) for name, sizes in {"layers": (1, 2), "width": (16, 32)}.items()}
    rows = growth(rounds=1, seconds=1e-6, middle=TINY, varied=varied)
    assert [(row["varied"], row["size"]) for row in rows] == [
        ("layers", 1), ("layers", 2), ("width", 16), ("width", 32),
    ]  # fmt: skip
    assert rows[0]["shape"]["num_layers"] == 1
    assert rows[3]["shape"]["hidden_size"] == 32
    assert rows[1]["megabytes"] > rows[0]["megabytes"]
    assert all(row["milliseconds"] > 0 for row in rows)


def fake_rows(**powers: tuple[float, float]) -> list[dict[str, Any]]:
    """Return rows of time and memory that grow with these powers of the size."""
    return [
        {"varied": name, "size": size, "milliseconds": 3 * size**time, "megabytes": 5 * size**memory}
        for name, (time, memory) in powers.items()
        for size in (16, 4, 8, 2)  # in no order
    ]


def test_slopes_of_power_laws() -> None:
    found = slopes(fake_rows(width=(2.0, 1.5), layers=(1.3, 0.5)), {name: VARIED[name] for name in ("width", "layers")})
    assert [(one["varied"], one["holds"]) for one in found] == [("width", True), ("layers", False)]
    assert [one["time"] for one in found] == pytest.approx([2.0, 1.3])
    assert [one["memory"] for one in found] == pytest.approx([1.5, 0.5])
    heavy = slopes(fake_rows(layers=(0.5, 1.3)), {"layers": VARIED["layers"]})
    assert not heavy[0]["holds"]  # memory counts as well


def test_the_slope_is_the_last_doublings() -> None:
    assert last_slope([1, 2, 4], [1, 1, 8]) == pytest.approx(3)


@pytest.mark.parametrize("shape", [TINY, replace(TINY, seq_length=64, batch_size=16, vocab_size=1024)])
def test_measured_memory_is_what_the_arithmetic_says(shape: Shape) -> None:
    """The average of the weights and the copies are a TrainingRun's, not a step's."""
    items = efficiency.memory(shape.config())
    expected = items["total"] - items["average of the weights"] - items["copies for undo"]
    assert memory_of(shape, CPU, FLOAT32) == pytest.approx(expected, rel=0.05)


def test_the_figure_has_labelled_axes() -> None:
    figure = plots.growth(
        fake_rows(**dict.fromkeys(VARIED, (0.5, 0.25))), {name: one.most for name, one in VARIED.items()}
    )
    figure.draw_without_rendering()
    assert len(figure.axes) == 8
    for time, memory, (name, family) in zip(figure.axes[::2], figure.axes[1::2], VARIED.items(), strict=True):
        assert f"Growth with {name}" in {text.get_text() for text in time.texts}
        assert "(" in memory.get_xlabel()
        assert (time.get_ylabel(), memory.get_ylabel()) == ("time per step\n(ms)", "memory\n(MB)")
        assert (
            {axes.get_xscale() for axes in (time, memory)} == {axes.get_yscale() for axes in (time, memory)} == {"log"}
        )
        measured, guide = time.lines[:2]
        assert list(measured.get_xdata()) == [2, 4, 8, 16]
        assert list(measured.get_ydata()) == pytest.approx([3 * 2**0.5, 6, 3 * 8**0.5, 12])
        assert (guide.get_linestyle(), guide.get_color()) == ("--", plots.NEUTRAL)
        assert last_slope(guide.get_xdata(), guide.get_ydata()) == pytest.approx(family.most)


# The command


@pytest.fixture
def tiny_shapes(monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import shapes

    for module in (shapes, benchmarks):
        monkeypatch.setattr(module, "SHAPES", MappingProxyType({"tiny": TINY, "base": replace(TINY, name="base")}))


def run(*arguments: str) -> Any:
    return CliRunner(env={"COLUMNS": "100"}).invoke(app, ["bench", *arguments])


@pytest.mark.usefixtures("tiny_shapes")
def test_the_command_prints_a_table_and_writes_what_it_measured(tmp_path: Path) -> None:
    result = run("step", "--rounds", "1", "--seconds", "0.001", "--out", str(tmp_path / "new"))
    assert result.exit_code == 0, result.output
    (path,) = (tmp_path / "new").iterdir()
    written = json.loads(path.read_text(encoding="utf-8"))
    assert path.name == f"{written['hardware']['date']}-step-cpu.json"
    assert [one["shape"] for one in written["contests"]] == ["tiny"]  # base is for a GPU
    for name in INSTALLED:
        assert name in result.output
    assert "GFLOP/s" in result.output
    assert {row["contender"] for row in written["contests"][0]["rows"]} >= set(INSTALLED)


@pytest.mark.usefixtures("tiny_shapes")
def test_the_table_notes_who_is_missing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "electra_pytorch", None)
    monkeypatch.chdir(tmp_path)
    result = run("step", "--shape", "tiny", "--rounds", "1", "--seconds", "0.001")
    assert result.exit_code == 0, result.output
    assert "pip install --no-deps electra-pytorch==0.1.2" in " ".join(result.output.split())
    assert not [*tmp_path.iterdir()]  # without --out nothing is written


def test_growth_writes_its_rows_and_its_figure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    rows = fake_rows(**dict.fromkeys(VARIED, (0.5, 0.25)))
    monkeypatch.setattr(benchmarks, "growth", lambda **_settings: rows)
    result = run("growth", "--out", str(tmp_path))
    assert result.exit_code == 0, result.output
    assert "Nothing grows faster than it must." in result.output
    written, picture = sorted(tmp_path.iterdir())
    assert json.loads(written.read_text(encoding="utf-8"))["rows"] == rows
    assert picture.read_bytes().startswith(b"\x89PNG")
    rows[0]["milliseconds"] *= 100  # the largest size
    assert "Something grows faster than it must" in run("growth").output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["step", "--shape", "toyy"], "Did you mean 'toy'?"),
        (["step", "--device", "gpu"], "device='gpu': must be 'cpu' or 'cuda'."),
        (["growth", "--device", "mps"], "device='mps': must be 'cpu' or 'cuda'."),
        (["step", "--dtype", "float16"], "dtype='float16': must be one of 'float32', 'bfloat16'."),
        (["growth", "--dtype", "half"], "dtype='half'"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(arguments: list[str], message: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert message in result.output
    assert "Traceback" not in result.output


def test_a_folder_that_cannot_be_made_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("step", "--shape", "toy", "--out", str(tmp_path / "file" / "folder"))
    assert result.exit_code == 1
    assert "cannot be written" in " ".join(result.output.split())

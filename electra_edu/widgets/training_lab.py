"""TrainingLab: the panel in which a learner trains an ELECTRA, moves its knobs and watches what happens."""

import math
import threading
import time
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from electra_edu.config import PRESETS, ElectraConfig, preset
from electra_edu.corpora import load_corpus
from electra_edu.corpora.corpus import Corpus
from electra_edu.course.building import is_building
from electra_edu.errors import ElectraEduError, TrainingStopped
from electra_edu.probes import probe
from electra_edu.training import TrainingRun
from electra_edu.widgets._figure import Twin, draw_run
from electra_edu.widgets.code import preset_call, run_code
from electra_edu.widgets.code_drawer import CodeDrawer
from electra_edu.widgets.controls import Controls
from electra_edu.widgets.live_view import LiveView
from electra_edu.widgets.player import Player
from electra_edu.widgets.run_frame import RunFrames, probe_task, settings_label

CHUNK_SECONDS = 0.06  # of training between two looks at the buttons
DRAW_SECONDS = 0.15
EXAM_SECONDS = 1.0
PROBE_SECONDS = 3.0
WIDTH = "848px"
BUILD_STEPS = {"docs": 400}  # of the finished run that a committed lesson shows; real text takes longer
FEW_BUILD_STEPS = 150  # for all others
BUILD_EXAMS = 5  # on its way

Kept = list[tuple[str, dict[str, Any]]]


class TrainingLab:
    """The live panel around one run: Train, Step, Reset and Keep curve, sliders, curves, a sentence and a verdict.

    `run` is always the current run, whoever made it: Reset replaces it. Nothing trains until Train or Step is pressed.
    Training goes on in a background thread; making another panel pauses it.
    """

    def __init__(self, run: TrainingRun) -> None:
        """Build the panel around `run`, which may have been trained already.

        Raises ElectraEduError when the run's objective has no discriminator to watch.
        """
        _ = run.model.discriminator
        Player.pause_all()
        self.run = run
        self.view = LiveView()
        self.drawer = CodeDrawer()
        self.controls = Controls(run.config, run.corpus.name, run.seed)
        self._player = Player(self._work, self._ended)
        self._twin: Twin | None = None
        self._kept: Kept = []
        self._stopped: str | None = None  # what ended the training
        self._adopt(run)
        self.view.on_action(lambda _action: self._new_sentence())
        self.controls.train.on_click(
            lambda _button: self.pause(wait=False) if self.controls.says_pause else self.train()
        )
        self.controls.step.on_click(lambda _button: self.step())
        self.controls.reset.on_click(lambda _button: self.reset())
        self.controls.keep.on_click(lambda _button: self.keep_curve())
        self.controls.on_live_change(self._want)
        self.panel = widgets.VBox(
            [self.controls.main, self.view, self.drawer, self.controls.more], layout=widgets.Layout(max_width=WIDTH)
        )
        self.panel.add_class("edu-training-lab")

    @property
    def is_training(self) -> bool:
        """Whether the run is being trained right now."""
        return self._player.is_playing

    def train(self) -> None:
        """Train in the background until `pause`."""
        self._player.pause()  # the last training may still be grading its end
        self._stopped = None
        self.controls.show_training(True)
        self._player.play()

    def pause(self, wait: bool = True) -> None:
        """Stop training after the chunk at hand; with `wait`, return once it has stopped."""
        self._player.pause(wait)

    def step(self, steps: int = 1) -> None:
        """Take a few steps at once and draw them; pauses training first."""
        self.pause()
        self._stopped = None
        try:
            self._obey_knobs()
            self._frames.grow(self.run.advance(steps))
        except ElectraEduError as error:
            self._stopped = str(error)
        self._show()

    def reset(self) -> None:
        """Begin a new run with the settings of all knobs; kept curves stay."""
        self.pause()
        try:
            config, corpus = self._chosen()
            run = TrainingRun(config, corpus, self.controls.seed.value, self.run.device.type)
        except ElectraEduError as error:
            self._show(note=str(error))
            return
        self._adopt(run)
        self._show()

    def keep_curve(self) -> None:
        """Leave this run's curves behind as pale lines, with its settings, for the next runs to be held against."""
        if self.run.history:
            self._kept = [*self._kept[-2:], self._frames.keep()]
            self._frames.kept = self._kept
            self._show()

    def close(self) -> None:
        """Stop training and remove the panel."""
        self.pause()
        self.panel.close()

    def _adopt(self, run: TrainingRun) -> None:
        self.run = run
        self._initial = run.config
        self._frames = RunFrames(run, probe_task(run.corpus), self._kept)
        self._stopped = None
        self._wanted: dict[str, float] = {}
        self._drawn = self._examined = self._probed = 0.0
        self._speed = math.nan
        self.controls.show_run(run.config, run.corpus.name)
        self._show()

    def _chosen(self) -> tuple[ElectraConfig, Corpus]:
        """Return the config and corpus that all knobs together ask for."""
        name = self.controls.corpus.value
        if name == self.run.corpus.name:
            base, corpus = self._initial, self.run.corpus
        else:
            self._show(note=f"Reading the corpus {name!r}: the first time takes a while …")
            base, corpus = preset(name if name in PRESETS else "docs"), load_corpus(name)
            base = base.replace(vocab_size=corpus.vocab_size, max_seq_length=corpus.max_seq_length)
        return base.replace(**self.controls.settings(base)), corpus

    def _want(self) -> None:
        """Note the live knobs; the training thread obeys them before its next step."""
        self._wanted = self.controls.live_settings(self._initial)
        if not self.controls.says_pause:  # while it trains, the thread obeys and draws
            self._obey_knobs()
            self._show()

    def _obey_knobs(self) -> None:
        if self._wanted:
            wanted, self._wanted = self._wanted, {}
            self.run.change(**wanted)

    def _new_sentence(self) -> None:
        self._frames.next_sentence()
        if not self.controls.says_pause:
            self._show()

    def _work(self) -> bool:
        """One chunk: train a little, examine now and then, draw. Runs in the player's thread."""
        self._obey_knobs()
        began, steps = time.perf_counter(), 0
        while time.perf_counter() - began < CHUNK_SECONDS:
            self._frames.grow(self.run.advance(1))
            steps += 1
        now = time.perf_counter()
        speed = steps / (now - began)
        self._speed = speed if math.isnan(self._speed) else 0.9 * self._speed + 0.1 * speed
        if now - self._examined > EXAM_SECONDS:
            self._examine(with_probe=now - self._probed > PROBE_SECONDS)
        if now - self._drawn > DRAW_SECONDS:
            self._show(speed=self._speed)
        return True

    def _examine(self, with_probe: bool) -> None:
        self.run.evaluate()
        self._examined = time.perf_counter()
        task = self._frames.task
        if with_probe and task:
            encoder, corpus = self.run.average.encoder, self.run.corpus
            self._frames.probes[self.run.step] = probe(encoder, corpus, task, draws=2)
            self._probed = time.perf_counter()

    def _ended(self, error: Exception | None) -> None:
        """Tidy up in the player's thread after a pause or an error, and leave a picture of the run behind."""
        if error is not None:
            self._stopped = str(error) if isinstance(error, TrainingStopped) else f"{type(error).__name__}: {error}"
        self.controls.show_training(False)
        self._show()
        if error is None:
            self._examine(with_probe=True)
            self._show()
        self._show_twin()

    def _show(self, note: str = "", speed: float = math.nan) -> None:
        frame = self._frames.frame(self._stopped, note or self._stopped or "", speed)
        self.view.show(frame)
        self._drawn = time.perf_counter()
        self.drawer.settings = preset_call(self.run.config)
        self.drawer.code = run_code(self.run, self._initial)
        self.controls.show_details(self.run)

    def _show_twin(self) -> None:
        if self._twin is not None and self.run.history:
            last = self.run.evaluations[-1].auc if self.run.evaluations else math.nan
            self._twin.show(
                draw_run(self.run, self._frames.probes, self._frames.task),
                f"A finished run of {self.run.step} steps ({settings_label(self.run.config)}). Left: the losses of "
                "generator and discriminator, their floors dashed. Right: the scores; AUC on the fixed exam ends "
                f"at {last:.2f}.",
            )

    def _ipython_display_(self) -> None:
        """Show the panel and, below it, the place of its static twin.

        With ELECTRA_EDU_BUILD=1, which is how committed lessons are made, a short run is trained at once and only the
        twin is shown.
        """
        if is_building():
            self._twin = Twin()
            for _ in range(BUILD_EXAMS):
                self.step(BUILD_STEPS.get(self.run.corpus.name, FEW_BUILD_STEPS) // BUILD_EXAMS)
                self._examine(with_probe=True)
            self._show_twin()
            return
        display(self.panel)
        self._twin = Twin()
        threading.Thread(target=self._warm_up, name="electra_edu warm-up", daemon=True).start()

    def _warm_up(self) -> None:
        """Pay for the slow first step and the slow imports while the learner still reads; changes nothing."""
        scratch = TrainingRun(self.run.config, self.run.corpus, device=self.run.device.type)
        scratch.advance(1)
        scratch.evaluate()

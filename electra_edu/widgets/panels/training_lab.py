"""TrainingLab: the panel in which a learner trains an ELECTRA, moves its knobs and watches what happens."""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from IPython.display import display

from electra_edu.config import ElectraConfig
from electra_edu.corpora import load_corpus
from electra_edu.corpora.corpus import Corpus
from electra_edu.course.build_mode import is_building_lessons
from electra_edu.evaluation.probes import probe
from electra_edu.plots.blocks import in_words
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.charts.block_view import BlockView
from electra_edu.widgets.charts.pictures import SavedPicture, draw_blocks
from electra_edu.widgets.panels import lab_state
from electra_edu.widgets.panels.controls import Controls
from electra_edu.widgets.panels.lab_state import LabState
from electra_edu.widgets.panels.run_blocks import RunBlocks, probe_task
from electra_edu.widgets.panels.run_labels import settings_label
from electra_edu.widgets.parts.code import preset_call, run_code
from electra_edu.widgets.parts.code_drawer import CodeDrawer
from electra_edu.widgets.parts.instrument import require_run
from electra_edu.widgets.parts.knobs import close_all
from electra_edu.widgets.parts.player import Player

CHUNK_SECONDS = 0.06  # of training between two looks at the buttons
DRAW_SECONDS = 0.15
EXAM_SECONDS = 1.0
PROBE_SECONDS = 3.0
WIDTH = "848px"
BUILD_STEPS = {"docs": 400}  # of the finished run that a committed lesson shows; real text takes longer
FEW_BUILD_STEPS = 150  # for all others
BUILD_EXAMS = 5  # on its way


class TrainingLab:
    """The live panel around one run: Train, Step, Reset and Keep curve, sliders, curves, a sentence and a verdict.

    `run` is always the current run, whoever made it: Reset replaces it. Nothing trains until Train or Step is pressed.
    Training goes on in a background thread; making another panel pauses it.

    All that the panel knows is one `LabState`. An event (a button, a knob, the end of a training) makes a new one of
    it, one thread at a time; knobs, blocks and code are read from it. The thread that trains applies its settings to
    the run after each chunk.
    """

    def __init__(self, run: TrainingRun) -> None:
        """Build the panel around `run`, which may have been trained already.

        Raises ElectraEduError when the run's objective has no discriminator to watch.
        """
        require_run(run)
        _ = run.model.discriminator
        Player.pause_all()
        self._state = lab_state.opened(run)
        self._shown = RunBlocks(run, probe_task(run.corpus))
        self._one_at_a_time = threading.RLock()  # for the state, and for what is drawn from it
        self._player = Player(self._work, self._ended)
        self._drawn = self._examined = self._probed = 0.0
        self._speed = math.nan
        self._picture: SavedPicture | None = None
        self._warm_up = threading.Thread(
            target=_warm_up, args=(run.config, run.corpus, run.device.type), name="electra_edu warm-up", daemon=True
        )
        self.view = BlockView("The training of an ELECTRA")
        self.drawer = CodeDrawer()
        self.controls = Controls(self._state, self._move)
        self.view.on_action(lambda _action, _index: self._new_sentence())
        self.controls.train.on_click(
            lambda _button: self.pause(wait=False) if self.controls.says_pause else self.train()
        )
        self.controls.step.on_click(lambda _button: self.step())
        self.controls.reset.on_click(lambda _button: self.reset())
        self.controls.keep.on_click(lambda _button: self.keep_curve())
        self.panel = widgets.VBox(
            [self.controls.main, self.view, self.drawer, self.controls.more], layout=widgets.Layout(max_width=WIDTH)
        )
        self.panel.add_class("edu-training-lab")
        self._apply(lab_state.sentence_chosen, self._shown.row_from(0))

    @property
    def run(self) -> TrainingRun:
        """The current run."""
        return self._state.run

    @property
    def is_training(self) -> bool:
        """Whether the run is being trained right now."""
        return self._player.is_playing

    def train(self) -> None:
        """Train in the background until `pause`."""
        self._player.pause()  # the last training may still be grading its end
        if not self._state.is_closed:
            self._apply(lab_state.started)
            self._player.play()

    def pause(self, wait: bool = True) -> None:
        """Stop training after the step at hand; with `wait`, return once it has stopped."""
        self._player.pause(wait)

    def step(self, steps: int = 1) -> None:
        """Take a few steps at once and draw them; pauses training first."""
        self.pause()
        if self._state.is_closed:
            return
        try:
            self.run.advance(steps)
        except Exception as error:  # shown in the panel: a button's traceback is seen by nobody
            self._apply(lab_state.ended, _message(error))
        else:
            self._apply(lab_state.ended)

    def reset(self) -> None:
        """Begin a new run with the settings of all knobs; kept curves stay."""
        self.pause()
        if self._state.is_closed:
            return
        try:
            name = self._state.knobs.corpus
            if name not in self._state.offers:
                self._apply(lab_state.noted, f"Reading the corpus {name!r}: the first time takes a while …")
                self._apply(lab_state.offered, name, load_corpus(name))
            corpus, seed = self._state.offers[name].corpus, self._state.knobs.seed
            run = TrainingRun(lab_state.reset_config(self._state), corpus, seed, self.run.device.type)
        except Exception as error:  # a corpus that cannot be read, settings that cannot go together
            self._apply(lab_state.noted, _message(error))
            return
        with self._one_at_a_time:
            self._shown = RunBlocks(run, probe_task(corpus))
            self._drawn = self._examined = self._probed = 0.0
            self._speed = math.nan
            self._state = lab_state.began(self._state, run)
            self._apply(lab_state.sentence_chosen, self._shown.row_from(0))

    def keep_curve(self) -> None:
        """Leave this run's curves behind as pale lines, with its settings, for the next runs to be held against."""
        with self._one_at_a_time:
            if self.run.history:
                self._apply(lab_state.curve_kept, self._shown.earlier(self._state.base.learning_rate))

    def close(self) -> None:
        """Stop training and remove the panel with all its parts; what it showed can be forgotten then."""
        self._player.close()
        if self._warm_up.ident is not None:
            self._warm_up.join()
        with self._one_at_a_time:
            self._state = lab_state.closed(self._state)
            close_all(self.panel)

    def _apply(self, event: Callable[..., LabState], *about: Any) -> None:
        """Make the next state of this one, and show it. The curves of a run that is trained are drawn by its thread."""
        with self._one_at_a_time:
            if self._state.is_closed:
                return
            self._state = event(self._state, *about)
            if self._state.is_training:
                self.controls.show(self._state)
            else:
                self._apply_settings()
                self._draw()

    def _apply_settings(self) -> None:
        """Give the run the settings that the knobs have asked for."""
        with self._one_at_a_time:
            if self._state.pending:
                self.run.change(**self._state.wanted)
                self._state = lab_state.applied(self._state)

    def _move(self, knob: str, value: Any) -> None:
        self._apply(lab_state.moved, knob, value)

    def _new_sentence(self) -> None:
        with self._one_at_a_time:
            self._apply(lab_state.sentence_chosen, self._shown.row_from(self._state.sentence + 1))

    def _work(self) -> bool:
        """One chunk: train a little, examine now and then, draw. Runs in the player's thread."""
        self._apply_settings()
        began, steps = time.perf_counter(), 0
        while not steps or time.perf_counter() - began < CHUNK_SECONDS:
            self.run.advance(1)
            steps += 1
        now = time.perf_counter()
        speed = steps / (now - began)
        self._speed = speed if math.isnan(self._speed) else 0.9 * self._speed + 0.1 * speed
        if now - self._examined > EXAM_SECONDS:
            self._examine(with_probe=now - self._probed > PROBE_SECONDS)
        if now - self._drawn > DRAW_SECONDS:
            self._draw(self._speed)
        return True

    def _examine(self, with_probe: bool) -> None:
        run, task = self.run, self._shown.task
        run.evaluate()
        self._examined = time.perf_counter()
        if with_probe and task:
            step, score = run.step, probe(run.average.encoder, run.corpus, task, draws=2)
            with self._one_at_a_time:
                self._shown.probed(step, score)
            self._probed = time.perf_counter()

    def _ended(self, error: Exception | None) -> None:
        """Tidy up in the player's thread after a pause or an error, and leave a picture of the run behind."""
        self._apply(lab_state.ended, None if error is None else _message(error))
        if error is None:
            try:
                self._examine(with_probe=True)
            except Exception as trouble:  # no memory for it, perhaps
                self._apply(lab_state.ended, _message(trouble))
            self._draw()
        self._save_picture()

    def _draw(self, speed: float = math.nan) -> None:
        """Draw the state as it is, and what the run has become."""
        with self._one_at_a_time:
            self._state = state = lab_state.synchronised(self._state)
            note = state.note or state.stopped or ""
            self.view.show(self._shown.blocks(state.sentence, state.earlier, state.stopped, note, speed))
            self._drawn = time.perf_counter()
            self.drawer.settings = preset_call(state.run.config)
            self.drawer.code = run_code(state.run, self._shown.stages())
            self.controls.show(state)
            self.controls.show_details(state.run)

    def _save_picture(self) -> None:
        """Leave a picture of the run behind; without the status line, whose seconds differ from run to run."""
        if self._picture is None or not self.run.history:
            return
        with self._one_at_a_time:
            state, run = self._state, self.run
            label = settings_label(run.first_config, self._shown.stages())
            *blocks, _status = self._shown.blocks(state.sentence, state.earlier, state.stopped)
        self._picture.show(draw_blocks(blocks), f"A finished run of {run.step} steps ({label}). {in_words(blocks)}")

    def _ipython_display_(self) -> None:
        """Show the panel and, below it, the place of its picture.

        With ELECTRA_EDU_BUILD=1, which is how committed lessons are made, a short run is trained at once and only the
        picture is shown.
        """
        if is_building_lessons():
            self._picture = SavedPicture()
            for _ in range(BUILD_EXAMS):
                self.step(BUILD_STEPS.get(self.run.corpus.name, FEW_BUILD_STEPS) // BUILD_EXAMS)
                self._examine(with_probe=True)
            self._save_picture()
            return
        display(self.panel)
        self._picture = SavedPicture()
        self._warm_up.start()


def _message(error: Exception) -> str:
    """Say what ended the training; errors of ours need no name."""
    return str(error) if isinstance(error, ElectraEduError) else f"{type(error).__name__}: {error}"


def _warm_up(config: ElectraConfig, corpus: Corpus, device: str) -> None:
    """Pay for the slow first step and the slow imports while the learner still reads; changes nothing."""
    scratch = TrainingRun(config, corpus, device=device)
    scratch.advance(1)
    scratch.evaluate()

"""FindTheFakes: the game that opens lesson 00. Find a generator's fakes, train it for ten seconds, play again."""

import math
import time
from typing import Any

import anywidget
import torch
import traitlets
from IPython.display import display

from electra_edu.corpora.toy import exact_distribution
from electra_edu.course.build_mode import is_building_lessons
from electra_edu.course.fakes_game import Round, fill_in, make_story, play_round
from electra_edu.support import arguments
from electra_edu.support.errors import ElectraEduError
from electra_edu.training import TrainingRun
from electra_edu.widgets.assets import joined
from electra_edu.widgets.panels import find_the_fakes_views as views
from electra_edu.widgets.parts.instrument import require_run
from electra_edu.widgets.parts.player import Player

CHUNK_STEPS = 4  # between two looks at the clock
REFRESH_SECONDS = 0.2  # between two updates of the live metrics
REFILL_SECONDS = 1.0  # between two fillings of the story that the learner watches meanwhile
BUILD_STEPS = 200  # of a panel that plays by itself; much earlier the discriminator accuses no word


class FindTheFakes(anywidget.AnyWidget):
    """A word game on a TrainingRun: click the words that its generator replaced, train it, and play against it.

    The browser draws `view` (everything on the panel, its texts included) and `progress` (the metrics of a training
    that goes on), and sets `accused`, the indices of the clicked words. Every button is a method too. The truth about
    a story reaches the browser only once it is checked.
    """

    _esm = joined("find_the_fakes.js")
    _css = joined("palette.css", "find_the_fakes.css")
    view = traitlets.Dict().tag(sync=True)
    progress = traitlets.Dict().tag(sync=True)
    accused = traitlets.List(traitlets.Int()).tag(sync=True)

    # None until it is built: `close` is called even where `__init__` failed
    _player: Player | None = None

    def __init__(self, run: TrainingRun, seed: int = 0, seconds: float = 10.0) -> None:
        """Show a first story; `seed` decides the stories and their fakes, `seconds` how long "Train" trains.

        Pauses whatever another panel trains. Raises ElectraEduError when an argument cannot work.
        """
        require_run(run)
        seed = arguments.seed("seed", seed)
        if not (arguments.as_number(seconds) or 0) > 0:
            arguments.refuse("seconds", seconds, "a number above 0, for example 10")
        Player.pause_all()
        self.run = run
        self.seconds = float(seconds)
        self._rng = torch.Generator().manual_seed(seed)
        # A stream of its own, because how often it is used depends on the clock
        self._watch_rng = torch.Generator().manual_seed(seed)
        self._exact = exact_distribution if run.corpus.name == "toy" else None
        self.story = make_story(run, self._rng, self._exact)
        self.rounds: list[Round] = []  # played so far
        self._copy: Any = None  # the display handle of the saved copy
        super().__init__()
        self._player = Player(self._work, self._ended)
        self.on_msg(self._receive)
        self._open()

    def click(self, word_index: int) -> None:
        """Accuse the word at this index, or take it back; an index that belongs to no word is ignored."""
        words = self.story.words
        if self.view["phase"] == "playing" and 0 <= word_index < len(words) and words[word_index].is_word:
            self.accused = sorted(set(self.accused) ^ {word_index})

    def check(self) -> None:
        """Reveal the fakes and count the points; does nothing unless a story is being played."""
        if self.view["phase"] != "playing":
            return
        self.rounds.append(play_round(self.story, self.accused))
        self.view = views.revealed(self.rounds, self.seconds)
        if self._copy is not None:
            self._copy.update(views.saved_copy(self.rounds), raw=True)

    def next_round(self) -> None:
        """Show a new story, with fakes by the generator as it is now; does nothing while it trains."""
        if self.view["phase"] != "training":
            self._show_story()

    def train(self) -> None:
        """Train in the background for `seconds`, then show a new story; does nothing while it trains already."""
        if self._player is None or self.view["phase"] == "training":
            return
        self.view = views.training(self.rounds)
        # The clock starts after the first steps: they also load what training needs
        self._started = math.inf
        self._refreshed = self._refilled = -math.inf
        self._before = len(self.run.history)
        self._show_progress()
        self._player.pause()  # its last thread may be about to end
        self._player.play()

    def stop(self) -> None:
        """End the training early; the new story comes at once."""
        if self._player is not None:
            self._player.pause()

    def close(self) -> None:
        """End the training, if one goes on, and take the panel off the page; the run can be forgotten then."""
        if self._player is not None:
            self._player.close()
            self.layout.close()
        super().close()

    def _show_story(self, error: str = "") -> None:
        try:
            self.story = make_story(self.run, self._rng, self._exact)
        except ElectraEduError as problem:
            self.view = views.broken(str(problem))
        else:
            self._open(error)

    def _open(self, error: str = "") -> None:
        self.accused = []
        self.view = views.playing(self.story, self.rounds, error)
        self.progress = {}

    # In the player's thread

    def _work(self) -> bool:
        self.run.advance(CHUNK_STEPS)
        self._started = min(self._started, time.monotonic())
        self._show_progress()
        return time.monotonic() - self._started < self.seconds

    def _show_progress(self) -> None:
        """Refresh the live metrics and, less often, the story that the generator fills in; quick to call."""
        now = time.monotonic()
        if now - self._refreshed < REFRESH_SECONDS:
            return
        self._refreshed = now
        story = self.progress.get("words", [])
        if now - self._refilled >= REFILL_SECONDS:
            self._refilled = now
            story = views.filled_in(fill_in(self.run, self.story.masked, self._watch_rng))
        spent = max(0.0, now - self._started)
        left = f"{max(0.0, self.seconds - spent):.0f} s left · step {self.run.step}"
        steps = self.run.history[self._before :]
        self.progress = {
            "fraction": min(1.0, spent / self.seconds),
            "clock": left if steps else "getting ready …",
            "words": story,
            "metrics": views.live_metrics([step.mlm_loss for step in steps], [step.recall for step in steps]),
        }

    def _ended(self, error: Exception | None) -> None:
        if error is None:
            self._show_story()
        elif isinstance(error, ElectraEduError):
            self._show_story(f"Training stopped. {error}")
        else:
            self._show_story(f"Training stopped: {error or type(error).__name__}. Run this cell again to start anew.")

    # To and from the page

    def _receive(self, _widget: Any, content: Any, _buffers: Any) -> None:
        actions = {"check": self.check, "train": self.train, "stop": self.stop, "next": self.next_round}
        action = content.get("action") if isinstance(content, dict) else None
        if isinstance(action, str) and action in actions:
            actions[action]()

    def _ipython_display_(self) -> None:
        """Show the panel and, in an output of its own, a saved copy: a text that needs no kernel.

        The style sheet hides that text beside a live panel. With ELECTRA_EDU_BUILD=1, which is how committed lessons
        are made, the panel plays by itself and only the text is shown.
        """
        if is_building_lessons():
            self._play_by_itself()
        else:
            data, metadata = self._repr_mimebundle_() or ({}, {})
            display(data, metadata=metadata, raw=True)
        self._copy = display(views.saved_copy(self.rounds), raw=True, display_id=True)

    def _play_by_itself(self) -> None:
        self.check()
        self.run.advance(BUILD_STEPS)
        self.next_round()
        self.check()

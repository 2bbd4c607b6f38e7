"""Runs saved in older formats go on to the bit; damaged ones are refused."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from saved_runs import load
from small import metrics_of, small_config

from electra_edu.support.errors import CheckpointError

DATA = Path(__file__).parents[1] / "data"
FIRST_FORMAT = DATA / "first-format"


@pytest.mark.parametrize("older", [FIRST_FORMAT, DATA / "second-format"], ids=lambda folder: folder.name)
def test_a_run_of_an_older_format_goes_on_to_the_bit(tmp_path: Path, older: Path) -> None:
    """Saved by the versions before digests, and before the main network had its name.

    Both had changed λ before the first step and trained each network alone.
    """
    folder = shutil.copytree(older / "run", tmp_path / "run")
    steps = json.loads((older / "next_steps.json").read_text(encoding="utf-8"))
    expected = [{name.replace("second_", "main_"): value for name, value in step.items()} for step in steps]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the number of threads
        run = load(folder)
        assert run.first_config == small_config(weight_sharing="none")
        assert run.config == run.first_config.replace(rtd_weight=4.0, mask_prob=0.5)
        assert [(stage.steps, stage.trained) for stage in run.stages] == [
            *[(2, None), (1, "generator"), (1, "discriminator"), (2, None)]
        ]
        run.save(folder)  # in today's format, over it
        for again in (run, load(folder)):
            steps = [{name: step[name] for name in expected[0]} for step in metrics_of(again.advance(3))]
            assert steps == expected


@pytest.mark.parametrize(
    "change",
    [
        lambda about: about["config"].update(hidden_size=32),
        lambda about: about["config"].update(hidden_size=2**20),
        lambda about: about["history"].clear(),
        lambda about: about["history"][0].pop("loss"),
        lambda about: about["history"].append({"surprise": 1}),
        lambda about: about.update(step=-1),
        lambda about: about.update(format=2),
    ],
)
def test_a_damaged_run_of_the_first_format_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    folder = shutil.copytree(FIRST_FORMAT / "run", tmp_path / "run")
    about = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    change(about)
    (folder / "run.json").write_text(json.dumps(about), encoding="utf-8")
    with pytest.raises(CheckpointError, match="damaged"):
        load(folder)

"""parts(): the learner's own functions where they pass their check, and the library's for the others."""

from pathlib import Path

import pytest

from electra_edu.course import EXERCISES, Progress, parts

RIGHT = "def fill_in(tokens, is_masked, guesses):\n    new = torch.where(is_masked, guesses, tokens)\n"
RIGHT += "    return new, new != tokens\n"


def test_parts_are_ours_until_the_learner_has_written_one(tmp_path: Path) -> None:
    progress = Progress(tmp_path)
    found = parts(progress)
    assert found.yours == ()
    assert found.functions == {name: EXERCISES[name].reference for name in found.functions}
    assert str(found) == "0 of 6 parts are yours."
    progress.record_exercise("04", "fill_in", RIGHT)
    found = parts(progress)
    assert found.yours == ("fill_in",)
    assert found.functions["fill_in"].__code__.co_filename == "<your fill_in>"
    assert str(found) == "1 of 6 parts are yours: fill_in."
    assert found.fill_in is found.functions["fill_in"]
    assert found.draw is EXERCISES["draw"].reference


@pytest.mark.parametrize(
    ("source", "note"),
    [
        (RIGHT.replace("torch.where", "np.where"), "Your fill_in does not pass its check by itself: ours is used."),
        (RIGHT.replace("!=", "=="), "Your fill_in does not pass its check by itself: ours is used."),
        ("import nowhere_to_be_found\n" + RIGHT, "Your fill_in needs something that is not here"),
        (RIGHT.replace("fill_in", "other"), "Your fill_in needs something that is not here"),
        ("def fill_in(:", "Your fill_in needs something that is not here"),
        ("exit()", "Your fill_in needs something that is not here"),
        ("fill_in = 3", "fill_in is no function"),
    ],
)
def test_a_part_that_does_not_load_is_ours_with_a_note(tmp_path: Path, source: str, note: str) -> None:
    progress = Progress(tmp_path)
    progress.record_exercise("04", "fill_in", source)
    found = parts(progress)
    assert found.yours == ()
    assert found.functions["fill_in"] is EXERCISES["fill_in"].reference
    assert len(found.notes) == 1
    assert note in found.notes[0]
    assert note in str(found)

"""Settings that change during a run: noted, in force from the next step on, or refused."""

import pytest
from small import small_run

from electra_edu import efficiency
from electra_edu.support.errors import ElectraEduError


def test_a_change_is_noted_and_obeyed_from_the_next_step_on() -> None:
    run, untouched = small_run(), small_run()
    run.advance(2)
    untouched.advance(2)
    run.change(rtd_weight=2.0, mask_prob=0.3, temperature=0.5, learning_rate=1e-3)
    assert [(c.step, c.field, c.before, c.after) for c in run.changes] == [
        (2, "rtd_weight", 10.0, 2.0),
        (2, "temperature", 1.0, 0.5),
        (2, "learning_rate", 3e-3, 1e-3),
    ]  # the mask rate was 0.3 already
    assert run.config == untouched.config.replace(rtd_weight=2.0, temperature=0.5, learning_rate=1e-3)
    record = run.advance(1)[0]
    assert record.loss == pytest.approx(record.mlm_loss + 2.0 * record.rtd_loss)
    assert (record.rtd_weight, record.temperature, record.learning_rate) == (2.0, 0.5, 1e-3)
    assert record.mlm_loss == untouched.advance(1)[0].mlm_loss  # the generator's task did not change with it


def test_a_changed_mask_rate_changes_how_much_is_masked_and_what_it_costs() -> None:
    run = small_run()
    before = run.advance(1)[0]
    run.change(mask_prob=0.9)
    after = run.advance(1)[0]
    assert after.replaced_rate > 2 * before.replaced_rate
    assert after.flops - before.flops == efficiency.flops(run.config)["total"] > before.flops
    assert run.evaluate().replaced_rate == pytest.approx(after.replaced_rate, abs=0.1)  # the live scores obey too


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"hidden_size": 32}, r"'hidden_size' cannot change during a run\..*mask_prob, rtd_weight.*new TrainingRun"),
        ({"mask_rate": 0.2}, r"Did you mean 'mask_prob'\?"),
        ({"mask_prob": 2.0}, r"mask_prob=2\.0: must be between 0 and 1"),
        ({"rtd_weight": 1.0, "temperature": 0.0}, r"temperature=0\.0"),
    ],
)
def test_what_cannot_change_is_refused_and_nothing_changes(settings: dict[str, float], message: str) -> None:
    run = small_run()
    before = run.config
    with pytest.raises(ElectraEduError, match=message):
        run.change(**settings)
    assert run.config == before
    assert run.changes == []

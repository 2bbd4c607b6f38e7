"""The chapter's numbers come out as it prints them."""

import pytest

from electra_edu.course import chapter_numbers
from electra_edu.support.errors import ElectraEduError


def test_masked_share() -> None:
    """Printed: 76 masked, 436 unmasked, 14.8%."""
    printed = chapter_numbers.mlm_efficiency(512, 0.15)
    assert (printed["masked"], printed["unmasked"]) == (76, 436)
    assert f"{printed['efficiency']:.1%}" == "14.8%"


def test_bits() -> None:
    """Printed: 76 positions of 14.9 bits are 1132; 512 of 1 bit are 512; 6.7 times as many positions."""
    printed = chapter_numbers.learning_signal()
    assert (printed["MLM positions"], printed["RTD positions"]) == (76, 512)
    assert f"{printed['MLM bits per position']:.1f} {printed['MLM bits']:.0f}" == "14.9 1132"
    assert f"{printed['RTD bits per position']:.0f} {printed['RTD bits']:.0f}" == "1 512"
    assert f"{printed['ratio of positions']:.1f}" == "6.7"


@pytest.mark.parametrize(
    ("size", "discriminator", "total"),
    [("small", "17.4M", "42.7M"), ("base", "108.9M", "134.2M"), ("large", "334.1M", "368.8M")],
)
def test_parameters(size: str, discriminator: str, total: str) -> None:
    """Printed in millions, to one place."""
    printed = chapter_numbers.estimated_parameters(size)
    assert f"{printed['discriminator'] / 1e6:.1f}M" == discriminator
    assert f"{printed['total'] / 1e6:.1f}M" == total


def test_parameters_of_the_demonstration() -> None:
    """Printed: a generator with 19,014,714 parameters and a discriminator with 108,890,881."""
    assert chapter_numbers.demo_generator_parameters() == 19_014_714
    assert chapter_numbers.demo_discriminator_parameters() == 108_890_881


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(ElectraEduError, match="Did you mean 'large'"):
        chapter_numbers.estimated_parameters("larger")
    with pytest.raises(ElectraEduError, match="length=0"):
        chapter_numbers.mlm_efficiency(0)
    with pytest.raises(ElectraEduError, match="mask_prob=2"):
        chapter_numbers.mlm_efficiency(512, 2)

"""Public calls with wrong arguments: each works, or refuses by name and with a remedy; no error is a foreign one."""

from pathlib import Path

import pytest
from more_public_calls import MORE_PARTS
from public_calls import PARTS
from wrong_arguments import cells, outcome


@pytest.mark.fault(
    "Errors",
    seen="of 5,766 pairs of a public call and a wrong or unusual argument, 2,872 ended in an error of Python, NumPy or "
    "PyTorch, 581 wrong values were taken without a word, and 94 right ones (mostly NumPy's numbers) were refused",
)
@pytest.mark.parametrize("part", [*PARTS, *MORE_PARTS])
def test_every_call_takes_an_argument_or_refuses_it_by_name(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tried = {
        f"{call.name}({argument}={label})": outcome(call, argument, label)
        for call in {**PARTS, **MORE_PARTS}[part]()
        for argument, label in cells(call)
    }
    assert len(tried) > 50
    assert not {cell: fault for cell, fault in tried.items() if fault}

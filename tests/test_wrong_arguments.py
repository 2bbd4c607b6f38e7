"""Public calls with invalid arguments: each works, or names the argument and a remedy; no foreign error escapes."""

from pathlib import Path

import pytest
from argument_cases import cases, outcome
from display_calls import DISPLAY_CALLS
from library_calls import LIBRARY_CALLS


@pytest.mark.fault(
    "Errors",
    seen="of 5,766 pairs of a public call and a wrong or unusual argument, 2,872 ended in an error of Python, NumPy or "
    "PyTorch, 581 wrong values were taken without a word, and 94 right ones (mostly NumPy's numbers) were refused",
)
@pytest.mark.parametrize("part", [*LIBRARY_CALLS, *DISPLAY_CALLS])
def test_every_call_takes_an_argument_or_refuses_it_by_name(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tried = {
        f"{call.name}({argument}={label})": outcome(call, argument, label)
        for call in {**LIBRARY_CALLS, **DISPLAY_CALLS}[part]()
        for argument, label in cases(call)
    }
    assert len(tried) > 50
    assert not {case: fault for case, fault in tried.items() if fault}

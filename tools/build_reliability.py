"""Write docs/reliability.md: the faults that were once seen, and the tests that keep them from coming back.

It reads the marker `fault(kind, seen)` of the tests. With `--check` it writes nothing and fails if the page is
outdated.
"""

import argparse
import io
import sys
from collections import defaultdict
from contextlib import redirect_stdout
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "reliability.md"
HEAD = """# What does not go wrong any more

Each row is a fault that somebody met, or that a search for faults found: it was reproduced, a test was written and seen
to fail, and then the cause was mended. `make test` and `make check` run all of these tests. *Cases* counts them; a test
that generates its inputs is one case here, however many inputs it tries.

This page is made from the tests (`python tools/build_reliability.py`), which carry the marker `fault`.
"""

Row = tuple[str, str, str]  # kind, what was seen, where the test is


class Collector:
    """A pytest plugin that counts the marked tests."""

    def __init__(self) -> None:
        """Start with no tests."""
        self.cases: dict[Row, int] = defaultdict(int)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Count every test, whatever is deselected later."""
        for item in items:
            for marker in item.iter_markers("fault"):
                kind, seen = (*marker.args, *marker.kwargs.values())
                path, _, name = item.nodeid.partition("::")
                self.cases[kind, seen, f"{path}::{name.partition('[')[0]}"] += 1


def collect() -> dict[Row, int]:
    """Return the number of cases for each fault."""
    collector = Collector()
    output = io.StringIO()
    with redirect_stdout(output):
        code = pytest.main(
            ["--collect-only", "-q", "-m", "", "-p", "no:cacheprovider", str(ROOT / "tests")], [collector]
        )
    if code != pytest.ExitCode.OK:
        sys.exit(f"The tests could not be collected:\n{output.getvalue()[-2000:]}")
    return collector.cases


def page(cases: dict[Row, int]) -> str:
    """Return the page: a summary, then a table for each kind."""
    kinds = sorted({kind for kind, _, _ in cases})
    rows = {kind: [(seen, where, n) for (k, seen, where), n in cases.items() if k == kind] for kind in kinds}
    summary = ["| kind | faults | cases |", "|---|---|---|"]
    for kind in kinds:
        faults = len({seen for seen, _, _ in rows[kind]})
        summary.append(f"| [{kind}](#{anchor(kind)}) | {faults} | {sum(n for _, _, n in rows[kind])} |")
    parts = [HEAD, "\n".join(summary)]
    for kind in kinds:
        table = ["| what was seen | cases | test |", "|---|---|---|"]
        for seen, where, n in sorted(rows[kind]):
            path, _, name = where.partition("::")
            table.append(f"| {seen.replace('|', chr(92) + '|')} | {n} | [{name.replace('::', '.')}](../{path}) |")
        parts += [f"## {kind}", "\n".join(table)]
    return "\n\n".join(parts) + "\n"


def anchor(kind: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return "".join(c for c in kind.lower().replace(" ", "-") if c.isalnum() or c == "-")


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if the page is outdated")
    made = page(collect())
    if parser.parse_args().check:
        if PAGE.read_text(encoding="utf-8") != made:
            sys.exit("docs/reliability.md is outdated. Run: python tools/build_reliability.py")
        return
    PAGE.write_text(made, encoding="utf-8")


if __name__ == "__main__":
    main()

"""Print the section of CHANGELOG.md that belongs to a tag: `python tools/release_notes.py v0.1.0`.

It refuses a tag that is not `v` and the package's version, and a version without a section. It needs the standard
library only, so that a release is refused before anything is installed.
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def package_version(root: Path = ROOT) -> str:
    """Return `__version__`, read without importing the package."""
    source = (root / "electra_edu" / "__init__.py").read_text(encoding="utf-8")
    match = re.search(r'^__version__ = "([^"]+)"$', source, re.MULTILINE)
    if match is None:
        sys.exit('electra_edu/__init__.py has no line `__version__ = "…"`.')
    return match[1]


def release_notes(tag: str, root: Path = ROOT) -> str:
    """Return the changelog's section of the version that `tag` names; exit with the remedy where they disagree."""
    version = package_version(root)
    if tag != f"v{version}":
        sys.exit(f"The tag {tag} is not v{version}. Set __version__ in electra_edu/__init__.py, or tag v{version}.")
    changelog = (root / "CHANGELOG.md").read_text(encoding="utf-8")
    section = re.search(rf"^## {re.escape(version)}\b.*?\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if section is None or not section[1].strip():
        sys.exit(f"CHANGELOG.md has no section `## {version}`. Rename `## Unreleased`.")
    return section[1].strip() + "\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    print(release_notes(sys.argv[1]), end="")

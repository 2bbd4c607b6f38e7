"""tools/release_notes.py: a tag is released only where version and changelog agree with it."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("release_notes", ROOT / "tools" / "release_notes.py")
assert SPEC is not None
assert SPEC.loader is not None
tool = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(tool)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "electra_edu").mkdir()
    (tmp_path / "electra_edu" / "__init__.py").write_text('"""A package."""\n\n__version__ = "1.2.0"\n')
    changelog = "# Changelog\n\n## Unreleased\n\n## 1.2.0 – 2026-11-23\n\n- New.\n\n## 1.1.0\n\n- Old.\n"
    (tmp_path / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    return tmp_path


def test_notes_are_the_section_of_the_version(checkout: Path) -> None:
    assert tool.release_notes("v1.2.0", checkout) == "- New.\n"


def test_the_last_section_ends_with_the_file(checkout: Path) -> None:
    (checkout / "electra_edu" / "__init__.py").write_text('__version__ = "1.1.0"\n')
    assert tool.release_notes("v1.1.0", checkout) == "- Old.\n"


@pytest.mark.parametrize("tag", ["v1.2", "1.2.0", "v1.3.0"])
def test_another_tag_is_refused(tag: str, checkout: Path) -> None:
    with pytest.raises(SystemExit, match=rf"The tag {tag} is not v1\.2\.0"):
        tool.release_notes(tag, checkout)


@pytest.mark.parametrize("changelog", ["# Changelog\n\n## Unreleased\n\n- New.\n", "## 1.2.0\n\n## 1.1.0\n\n- Old.\n"])
def test_a_version_without_notes_is_refused(changelog: str, checkout: Path) -> None:
    (checkout / "CHANGELOG.md").write_text(changelog, encoding="utf-8")
    with pytest.raises(SystemExit, match=r"has no section `## 1\.2\.0`"):
        tool.release_notes("v1.2.0", checkout)


def test_this_version_has_notes() -> None:
    assert tool.release_notes(f"v{tool.package_version()}").startswith("The first release")

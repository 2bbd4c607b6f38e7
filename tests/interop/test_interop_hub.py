"""from_transformers with a name: the cache first, then the hub, and else how to get the files by hand."""

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

from electra_edu.interop import PretrainedDiscriminator, from_transformers
from electra_edu.support.errors import CheckpointError

CONFIG = "config.json"


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.usefixtures("empty_cache")
@pytest.mark.filterwarnings("ignore")
def test_a_name_without_a_network() -> None:
    with pytest.raises(CheckpointError) as caught:
        from_transformers("google/electra-small-discriminator", revision="main")
    command = (
        "hf download google/electra-small-discriminator --revision main --include '*.json' --include '*.txt' "
        "--include '*.safetensors' --local-dir electra-small-discriminator"
    )
    assert command in str(caught.value)
    assert ".." not in str(caught.value)
    assert "from_transformers('./electra-small-discriminator')" in str(caught.value)


def test_a_name_without_the_hub_s_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(CheckpointError, match=r"needs pip install huggingface_hub.*hf download owner/name --include"):
        from_transformers("owner/name")


def test_names_are_looked_up_in_the_cache_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[dict[str, Any]] = []
    cached: list[Path] = []

    def snapshot_download(name: str, **arguments: Any) -> str:
        calls.append(arguments | {"name": name})
        if not arguments["local_files_only"]:
            return str(folder)
        if not cached:
            raise FileNotFoundError("not in the cache")
        return str(cached[0])

    hub = types.SimpleNamespace(snapshot_download=snapshot_download)
    monkeypatch.setitem(sys.modules, "huggingface_hub", hub)

    found = from_transformers("owner/name", revision="v1", local_files_only=False)
    assert isinstance(found, PretrainedDiscriminator)
    assert [call["local_files_only"] for call in calls] == [True, False]
    for call in calls:
        assert (call["name"], call["revision"]) == ("owner/name", "v1")
        assert set(call["allow_patterns"]) == {"*.json", "*.txt", "*.safetensors"}

    calls.clear()
    cached.append(folder)
    from_transformers("owner/name")
    assert [call["local_files_only"] for call in calls] == [True]

    calls.clear()
    cached[0] = folder.parent / "half"  # a cache that only ever saw the config
    cached[0].mkdir()
    (cached[0] / CONFIG).write_text(json.dumps({}))
    from_transformers("owner/name", local_files_only=False)
    assert [call["local_files_only"] for call in calls] == [True, False]


def test_a_folder_of_a_hub_s_name_is_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert isinstance(from_transformers("model"), PretrainedDiscriminator)

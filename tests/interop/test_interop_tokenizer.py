"""A vocabulary's folder is read as transformers reads it, token for token; what cannot be read is named."""

import json
from pathlib import Path
from typing import Any

import pytest
from hugging_face import edited, their_model
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small import WORDS, rng, small_config
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import AutoTokenizer, BertTokenizer

import electra_edu as edu
from electra_edu.evaluation.detection import detect_words
from electra_edu.interop import from_transformers
from electra_edu.model.electra import Electra
from electra_edu.support.errors import CheckpointError, ElectraEduError

round_trip = pytest.mark.fault(
    "Round trips", seen="tokens of added_tokens.json fell into pieces: “<user>” was “<”, “user”, “>”"
)
LETTERS = [mark + letter for letter in "abcdeéfghijklmnoprstuvCFT日本학ёед<>.,-!’" for mark in ("", "##")]
TOKENS = list(
    dict.fromkeys(["[PAD]", "[unused0]", *WORDS, "[UNK]", "[CLS]", "[SEP]", "[MASK]", "user", "[mask]", *LETTERS])
)
TEXTS = (
    "The cook stirs the soup.",
    "Déjà vu, naïve CAFÉ! e\u0301 \u0130I ß ё е",
    "a [MASK] sings <user> and <USER>, <user>s; [MASK][MASK]",
    "日本 soup-song 학교 <日本>",
    " [CLS] x [SEP] [PAD] [UNK] [unused0] ",
    "tab\tnew\nline\r\n\u00a0\u200b\ufeff\x00\ufffd soup\u2028song",
    "a" * 99 + " " + "a" * 101 + " extra extra extra2",
    "Soup<user>soup<sep2> [mask] don't",
    "",
)
SIZE = len(TOKENS) + 8


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the config and the weights of a discriminator that has room for some more tokens."""
    folder = tmp_path_factory.mktemp("network")
    their_model(vocab_size=SIZE).save_pretrained(folder)
    return folder


def folder_of(network: Path, place: Path, vocabulary: bytes | None = None, **files: Any) -> Path:
    """Return a folder with the network and these files: added_tokens={…} is added_tokens.json."""
    place.mkdir(exist_ok=True, parents=True)
    for path in network.iterdir():
        (place / path.name).hardlink_to(path)
    if vocabulary is None:
        vocabulary = ("\n".join(TOKENS) + "\n").encode()
    (place / "vocab.txt").write_bytes(vocabulary)
    for name, value in files.items():
        (place / f"{name}.json").write_text(json.dumps(value), encoding="utf-8")
    return place


def ours(folder: Path) -> Tokenizer:
    tokenizer = from_transformers(folder).tokenizer
    assert tokenizer is not None
    return tokenizer


def assert_same(folder: Path, texts: tuple[str, ...] = TEXTS) -> Tokenizer:
    """Check that both read every text, and pairs, as the same tokens, and give special ones the same ids."""
    mine, theirs = ours(folder), AutoTokenizer.from_pretrained(folder)
    for text in texts:
        found = theirs(text)
        assert mine.encode(text).ids == found["input_ids"], text
        assert mine.decode(found["input_ids"], skip_special_tokens=False) == theirs.decode(found["input_ids"])
    pair, reference = mine.encode(*texts[:2]), theirs(*texts[:2])
    assert (pair.ids, pair.type_ids) == (reference["input_ids"], reference["token_type_ids"])
    config = from_transformers(folder).config
    assert list(config.special_token_ids) == [
        getattr(theirs, f"{role}_token_id") for role in ("pad", "unk", "cls", "sep", "mask")
    ]
    return mine


switch = st.sampled_from([None, True, False])
token = st.sampled_from(["<user>", "extra", "[MASK]", "soup", "日本", "##s", "<sep2>", "a b", "[unused0]"])
described = st.builds(
    lambda content, **flags: {"content": content, **flags},
    content=token,
    lstrip=st.booleans(),
    rstrip=st.booleans(),
    single_word=st.booleans(),
    normalized=st.booleans(),
)


@st.composite
def folders(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the files of a tokenizer, as different programs of different years write them."""
    lines = list(TOKENS)
    lines += draw(st.lists(st.sampled_from(["", "  ", "soup", "soup ", "\u00a0", "##s\t", "the"]), max_size=3))
    ending = draw(st.sampled_from(["\n", "\r\n"]))
    text = ending.join(lines) + draw(st.sampled_from(["", ending, ending * 2]))
    files: dict[str, Any] = {"vocabulary": text.encode()}
    about: dict[str, Any] = {
        name: value
        for name in ("do_lower_case", "strip_accents", "tokenize_chinese_chars", "split_special_tokens")
        if (value := draw(switch)) is not None
    }
    if draw(st.booleans()):
        about["tokenizer_class"] = draw(
            st.sampled_from(["BertTokenizer", "BertTokenizerFast", "ElectraTokenizer", "ElectraTokenizerFast"])
        )
    if draw(st.booleans()):
        about["never_split"] = ["<user>"]
    special: dict[str, Any] = {}
    if draw(st.booleans()):
        special["mask_token"] = draw(st.sampled_from(["[MASK]", "[unused0]", {"content": "[mask]", "lstrip": True}]))
    if draw(st.booleans()):
        special["additional_special_tokens"] = draw(st.lists(token, max_size=2, unique=True))
    if special and draw(st.booleans()):
        files["special_tokens_map"] = special
    elif not any(isinstance(value, dict) for value in special.values()):
        about |= special
    read = text.removesuffix("\n").split("\n")
    distinct = len({line.rstrip() for line in read})
    kind = draw(st.sampled_from(["none", "added_tokens", "added_tokens_decoder"]))
    if len(read) > distinct:  # in transformers an added token then gets an id that is a word's
        kind = "none"
    if kind == "added_tokens":
        files["added_tokens"] = {"<user>": distinct, "extra": distinct + 1}
    elif kind == "added_tokens_decoder":
        first = draw(described.filter(lambda value: value["content"] in ("<user>", "extra", "a b")))
        about["added_tokens_decoder"] = {str(distinct): first}
    if about or draw(st.booleans()):
        files["tokenizer_config"] = about
    return files


@round_trip
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(files=folders())
def test_a_vocabulary_is_read_as_transformers_reads_it(
    tmp_path_factory: pytest.TempPathFactory, network: Path, files: dict[str, Any]
) -> None:
    place = tmp_path_factory.mktemp("folder") / "model"
    assert_same(folder_of(network, place, **files))


@round_trip
def test_added_tokens(tmp_path: Path, network: Path) -> None:
    number = len(TOKENS)
    folder = folder_of(network, tmp_path / "model", added_tokens={"<user>": number, "extra": number + 1})
    assert assert_same(folder).encode("the <user> sings", add_special_tokens=False).tokens == ["the", "<user>", "sings"]


@pytest.mark.fault("Round trips", seen="a vocab.txt that begins with a byte-order mark was said to have no [PAD]")
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_a_byte_order_mark_is_no_letter(tmp_path: Path, network: Path, ending: bytes) -> None:
    """Transformers takes the first line for another token there, and gives [PAD] an id beyond the vocabulary."""
    plain = folder_of(network, tmp_path / "plain")
    marked = folder_of(network, tmp_path / "marked", b"\xef\xbb\xbf" + ending.join(t.encode() for t in TOKENS) + ending)
    assert ours(marked).to_str() == ours(plain).to_str()
    assert from_transformers(marked).config.pad_token_id == 0
    theirs = AutoTokenizer.from_pretrained(marked)
    for text in TEXTS:
        if "[PAD]" not in text:
            assert ours(marked).encode(text).ids == theirs(text)["input_ids"]


@pytest.mark.fault("Round trips", seen="with Windows line ends every token ended in a carriage return, [PAD] too")
def test_windows_line_ends_blank_and_double_lines(tmp_path: Path, network: Path) -> None:
    lines = [*TOKENS[:20], "", *TOKENS[20:], "soup", ""]
    folder = folder_of(network, tmp_path / "model", "\r\n".join(lines).encode())
    assert ours(folder).token_to_id("soup") == len(lines) - 2  # the last of two alike
    assert_same(folder)


@pytest.mark.fault(
    "Round trips", seen="the do_lower_case of tokenizer_config.json was not read beside a tokenizer.json"
)
@pytest.mark.parametrize("lower", [True, False])
@pytest.mark.parametrize("stated", [True, False, None])
def test_settings_beside_a_tokenizer_json(tmp_path: Path, network: Path, lower: bool, stated: bool | None) -> None:
    folder = folder_of(network, tmp_path / "model")
    BertTokenizer({token: i for i, token in enumerate(TOKENS)}, do_lower_case=lower).save_pretrained(folder)
    (folder / "vocab.txt").unlink()
    with edited(folder / "tokenizer_config.json") as about:
        about.pop("do_lower_case", None)
        if stated is not None:
            about["do_lower_case"] = stated
    assert_same(folder)


def test_a_tokenizer_json_alone_is_read_as_it_is(tmp_path: Path, network: Path) -> None:
    """It says itself how texts are split, and no other file contradicts it."""
    tokenizer = Tokenizer(models.WordPiece({token: i for i, token in enumerate(TOKENS)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder = folder_of(network, tmp_path / "model")
    (folder / "vocab.txt").unlink()
    tokenizer.save(str(folder / "tokenizer.json"))
    assert ours(folder).encode("T é", add_special_tokens=False).tokens == ["T", "é"]


def test_ids_with_a_gap_are_said(tmp_path: Path, network: Path) -> None:
    folder = folder_of(network, tmp_path / "model", added_tokens={"<user>": len(TOKENS) + 2})
    with pytest.warns(UserWarning, match=rf"'<user>' should have the id {len(TOKENS) + 2} and gets {len(TOKENS)}"):
        tokenizer = ours(folder)
    assert tokenizer.encode("<user>").ids == AutoTokenizer.from_pretrained(folder)("<user>")["input_ids"]


@pytest.mark.fault("Errors", seen="“they do not belong together” was said of a tokenizer to which a token was added")
def test_tokens_that_the_network_has_no_room_for(tmp_path: Path, network: Path) -> None:
    tokens = {f"<{i}>": len(TOKENS) + i for i in range(9)}
    with pytest.raises(CheckpointError, match=r"If '<8>' was added.*resize_token_embeddings\(len\(tokenizer\)\)"):
        from_transformers(folder_of(network, tmp_path / "model", added_tokens=tokens))


@pytest.mark.parametrize(
    ("files", "message"),
    [
        (
            {"tokenizer_config": {"do_lower_case": "yes"}},
            r"tokenizer_config.json: do_lower_case='yes': must be True or",
        ),
        ({"tokenizer_config": {"strip_accents": [1]}}, r"tokenizer_config.json: strip_accents=\[1\]: must be True or"),
        ({"tokenizer_config": {"added_tokens_decoder": []}}, r"added_tokens_decoder=\[\]: must be an object"),
        ({"tokenizer_config": {"added_tokens_decoder": {"x": {}}}}, r"added_tokens_decoder=.*: must be an object"),
        ({"tokenizer_config": {"added_tokens_decoder": {"9": {}}}}, r"added_tokens_decoder.9=\{\}: must be a token"),
        ({"tokenizer_config": {"added_tokens_decoder": {"9": 9}}}, r"added_tokens_decoder.9=9: must be a token"),
        ({"special_tokens_map": {"mask_token": {"text": "x"}}}, r"mask_token=.*: must be a token"),
        ({"special_tokens_map": {"mask_token": 5}}, r"mask_token=5: must be a token"),
        ({"special_tokens_map": {"additional_special_tokens": 5}}, r"additional_special_tokens=5: must be a list"),
        ({"added_tokens": {"<user>": "x"}}, r"added_tokens.json: '<user>'='x': must be the id of a token"),
        ({"added_tokens": []}, r"added_tokens.json holds no JSON object"),
        (
            {"special_tokens_map": {"mask_token": "<mask>"}},
            r"vocab.txt has no <mask>.*name them in special_tokens_map.json",
        ),
    ],
    ids=str,
)
def test_files_gone_wrong(tmp_path: Path, network: Path, files: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        from_transformers(folder_of(network, tmp_path / "model", **files))


def test_the_remedy_for_special_tokens_of_other_names(tmp_path: Path, network: Path) -> None:
    lines = ("\n".join(TOKENS) + "\n").replace("[MASK]", "<mask>").encode()
    with pytest.raises(
        CheckpointError, match=r'has no \[MASK\].*name them in special_tokens_map.json: \{"mask_token": "<m'
    ):
        from_transformers(folder_of(network, tmp_path / "model", lines))
    assert_same(folder_of(network, tmp_path / "named", lines, special_tokens_map={"mask_token": "<mask>"}))


class TestWithoutAnUnknownToken:
    """A vocabulary may have no [UNK], and works as long as it knows the words."""

    @pytest.fixture
    def tokenizer(self) -> Tokenizer:
        tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
        tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
        return tokenizer

    @pytest.mark.fault("Errors", seen="a bare Exception: “WordLevel error: Missing [UNK] token from the vocabulary”")
    def test_detect(self, tokenizer: Tokenizer) -> None:
        model = Electra(small_config(), rng()).eval()
        with pytest.raises(
            ElectraEduError, match=r"tokenizer: the text has a word that it does not know.*no '\[UNK\]'"
        ):
            edu.detect(model, "the unheard of soup", tokenizer=tokenizer)
        with pytest.raises(ElectraEduError, match=r"tokenizer: the text has a word"):
            detect_words(model, "soups", tokenizer=tokenizer)
        assert len(edu.detect(model, "the soup", tokenizer=tokenizer)) == 2  # the remedy: words of the vocabulary

    @pytest.mark.fault("Errors", seen="an ordinary word was taken for [UNK], and detect gave NaN for it")
    def test_no_word_is_taken_for_it(self, tmp_path: Path, tokenizer: Tokenizer) -> None:
        their_model(vocab_size=20).save_pretrained(tmp_path)
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        network = from_transformers(tmp_path)
        assert network.config.pad_token_id == 0  # as config.json says
        assert not set(network.config.special_token_ids[1:]) & set(tokenizer.get_vocab().values())
        assert all(probability == probability for _, probability in edu.detect(network, " ".join(WORDS)))

    def test_where_no_id_is_free(self, tmp_path: Path, tokenizer: Tokenizer) -> None:
        their_model(vocab_size=len(WORDS)).save_pretrained(tmp_path)
        tokenizer.save(str(tmp_path / "tokenizer.json"))
        with pytest.raises(CheckpointError, match=r"no token for unk_token.*Name it in special_tokens_map.json"):
            from_transformers(tmp_path)

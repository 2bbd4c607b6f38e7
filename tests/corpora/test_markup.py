# ruff: noqa: E501 (a table of texts, one a line)
"""Text that is markup, a table or code: refused with a way out that works, or read; and prose is never refused."""

import csv
import io
import json
import random
import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from languages import SENTENCES, paragraphs_of

from electra_edu.corpora import Corpus, docs, load_corpus
from electra_edu.corpora.json_text import extract_text
from electra_edu.corpora.markup import check_prose
from electra_edu.support.errors import CorpusError

HERE = Path(__file__).parents[2]
NOUNS = ["cook", "teacher", "farmer", "river", "garden", "letter", "window", "neighbour", "kitchen", "train"]
VERBS = ["sees", "knows", "remembers", "paints", "forgets", "likes", "carries", "finds"]


def sentences(n: int = 200) -> list[str]:
    draw = random.Random(0)

    def sentence() -> str:
        a, b, c = draw.sample(NOUNS, 3)
        return f"The old {a} {draw.choice(VERBS)} the {b}, and the {c} {draw.choice(VERBS)} nobody."

    return [f"{sentence()} {sentence()}" for _ in range(n)]


PROSE = sentences()
PLAIN = "\n\n".join(PROSE)


def table(rows: list[list[Any]], separator: str = ",") -> str:
    file = io.StringIO()
    csv.writer(file, delimiter=separator).writerows(rows)
    return file.getvalue()


def notebook() -> str:
    cells = [{"cell_type": "markdown", "metadata": {}, "source": [f"## <b>{text[:9]}</b>\n", text]} for text in PROSE]
    code = [{"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": "print(x_y)"}] * 99
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells + code}, indent=1)


READ: dict[str, Callable[[], str]] = {
    "JSON lines": lambda: "\n".join(json.dumps({"id": i, "text": text, "n": [1, 2]}) for i, text in enumerate(PROSE)),
    "a JSON list of objects": lambda: json.dumps([{"label": "a", "text": text} for text in PROSE], indent=2),
    "a JSON list of strings": lambda: json.dumps(PROSE),
    "a notebook": notebook,
}
REFUSED: dict[str, tuple[str, str, str]] = {  # suffix, what it is called, the text
    "JSON lines, another field": (".jsonl", "JSON", "\n".join(json.dumps({"id": i, "body": t}) for i, t in enumerate(PROSE))),
    "JSON, nested": (".json", "JSON", json.dumps({"version": 1, "data": [{"text": text} for text in PROSE]})),
    "HTML page": (".html", "HTML", "<!DOCTYPE html>\n<html><head><style>p {color: red}</style></head><body>"
                  + "".join(f"<p>{text}</p>" for text in PROSE) + "</body></html>"),
    "HTML fragment": (".txt", "HTML", "\n".join(f"<p class='a'>{text}</p>" for text in PROSE)),
    "HTML in lines": (".htm", "HTML", "\n".join(f"<div>\n  {text}\n</div>" for text in PROSE)),
    "breaks in reviews": (".txt", "HTML", "\n".join(text.replace(". ", ".<br /><br />") for text in PROSE)),
    "XML": (".xml", "HTML or XML", "<?xml version='1.0'?>\n<all>" + "\n".join(f"<s n='{i}'>{t}</s>" for i, t in enumerate(PROSE)) + "</all>"),
    "comma-separated": (".csv", "a table of 3 columns", table([["id", "text", "label"], *([i, t, "a"] for i, t in enumerate(PROSE))])),
    "tab-separated": (".tsv", "a table of 2 columns", table([[t, i % 2] for i, t in enumerate(PROSE)], "\t")),
    "semicolons": (".csv", "a table of 3 columns", table([[i, i, t] for i, t in enumerate(PROSE)], ";")),
    "Markdown table": (".md", "a table in Markdown", "| n | text |\n|---|---|\n" + "\n".join(f"| {i} | {t} |" for i, t in enumerate(PROSE))),
    "subtitles": (".srt", "subtitles", "\n".join(f"{i}\n00:01:{i % 60:02},000 --> 00:02:{i % 60:02},500\n{t}\n" for i, t in enumerate(PROSE))),
    "web subtitles": (".vtt", "subtitles", "WEBVTT\n\n" + "\n".join(f"01:{i % 60:02}.000 --> 02:{i % 60:02}.500\n{t}\n" for i, t in enumerate(PROSE))),
    "chat": (".txt", "date and time", "\n".join(f"[{i % 28 + 1}/03/2024, 10:{i % 60:02}:07] {t}" for i, t in enumerate(PROSE))),
    "log": (".log", "date and time", "\n".join(f"2024-03-{i % 28 + 1:02} 10:00:{i % 60:02},123 {t}" for i, t in enumerate(PROSE))),
    "translations": (".po", "messages for translation", "\n".join(f'#: a.c:{i}\nmsgid "{t}"\nmsgstr ""\n' for i, t in enumerate(PROSE))),
    "Python": (".py", "source code", "\n".join(f'def f{i}(a, b=1):\n    """{t}"""\n    x = a + b\n    if x:\n        return g(x)\n    y = [a]\n    print(y)\n' for i, t in enumerate(PROSE))),
}  # fmt: skip
WITHOUT_CODE: dict[str, tuple[str, str]] = {
    "LaTeX": ("LaTeX", "\n\n".join(f"\\section{{A}} {t.replace('old', chr(92) + 'emph{old}')}" for t in PROSE)),
    "LaTeX document": ("LaTeX", "% a paper\n\\documentclass{article}\n\\begin{document}\n" + PLAIN),
    "RTF": ("RTF", "{\\rtf1\\ansi " + PLAIN),
    "wiki": ("wiki markup", "\n\n".join(t.replace("old", "[[old]]") for t in PROSE)),
    "YAML": ("YAML", "\n".join(f"- id: {i}\n  title: a\n  words: {t}" for i, t in enumerate(PROSE))),
    "SQL": ("SQL", "\n".join(f"INSERT INTO t VALUES ({i}, '{t}');" for i, t in enumerate(PROSE))),
    "JSON cut off": ("JSON", json.dumps([{"id": i, "text": t} for i, t in enumerate(PROSE)])[:-9]),
    "JSON printed and cut off": ("JSON", json.dumps([{"id": i, "text": t} for i, t in enumerate(PROSE)], indent=1)[:-9]),
    "JavaScript": ("JSON|source code", "var data = " + json.dumps({t[:9]: i for i, t in enumerate(PROSE)}, indent=1)),
    "C": ("source code", "\n".join(f"/* {t} */\nint f{i}(int a) {{\n  int x = a;\n  return x;\n}}" for i, t in enumerate(PROSE))),
    "style sheet": ("source code", "\n".join(f"p.c{i} {{\n  color: red;\n  margin: 0 auto;\n}}" for i in range(400))),
    "settings": ("source code", "\n".join(f"name.{i}={t}" for i, t in enumerate(PROSE))),
    "numbers": ("digits and punctuation", "\n".join(f"{i} {i * 7} {i / 3:.3f}" for i in range(400))),
    "damaged JSON lines": ("line 7 is not", "\n".join("{oops" if i == 6 else json.dumps({"text": t}) for i, t in enumerate(PROSE))),
}  # fmt: skip


def refusal(source: Path | None = None, **options: Any) -> str:
    with pytest.raises(CorpusError) as caught:
        load_corpus(source, **options)
    return str(caught.value)


def marks(corpus: Corpus) -> float:
    """The share of the training tokens that are marks or digits."""
    words = [corpus.tokenizer.id_to_token(number).removeprefix("##") for number in range(corpus.vocab_size)]
    return sum(float(p) for word, p in zip(words, corpus.unigram.tolist(), strict=True) if not word.isalpha())


def file_of(tmp_path: Path, suffix: str, text: str) -> Path:
    path = tmp_path / f"it's mine{suffix}"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.fault(
    "Text in, text out", seen="the quotation mark of JSON was the commonest token, a third of all were marks"
)
@pytest.mark.parametrize("what", READ)
def test_prose_in_json_is_read(what: str, tmp_path: Path) -> None:
    text, plain = READ[what](), load_corpus(text=PLAIN)
    for corpus in (load_corpus(text=text), load_corpus(file_of(tmp_path, ".txt", text))):
        assert marks(corpus) < marks(plain) + 0.1
        assert '"' not in corpus.tokenizer.get_vocab()
        if what != "a notebook":
            assert corpus.sha256 == plain.sha256


@pytest.mark.fault(
    "Text in, text out", seen="markup, tables and code were taken as prose, their marks learned as words"
)
@pytest.mark.parametrize("what", REFUSED)
def test_markup_is_refused_and_the_way_out_works(what: str, tmp_path: Path) -> None:
    suffix, called, text = REFUSED[what]
    for path in (None, file_of(tmp_path, suffix, text)):
        message = refusal(path) if path else refusal(text=text)
        assert called in message
        assert message.startswith(f"{path.name if path else 'text'}: ")
        assert ("pathlib.Path(" in message) == (path is not None)
        names: dict[str, Any] = {"text": text}
        exec(re.findall(r"(?:(?:import|text =).*)", message)[0], names)  # from the first statement to the end
        assert set(names["text"].split()) >= set(PROSE[50].split())
    assert marks(load_corpus(text=names["text"])) < 0.3


@pytest.mark.fault(
    "Text in, text out", seen="markup, tables and code were taken as prose, their marks learned as words"
)
@pytest.mark.parametrize("what", WITHOUT_CODE)
def test_markup_is_refused(what: str) -> None:
    called, text = WITHOUT_CODE[what]
    assert re.search(called, refusal(text=text))


def test_notebook_without_prose_and_with_a_fault(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": "x = 1"}]
    assert "without a cell of Markdown" in refusal(text=json.dumps({"cells": cells, "nbformat": 4}))
    assert "JSON" in refusal(file_of(tmp_path, ".ipynb", notebook()[:-20]))
    assert "no fields" in refusal(text=json.dumps([[1, 2], [3]]))
    assert "'n'" in refusal(text=json.dumps({"n": 1}))
    assert "row['body']" in refusal(text=json.dumps({"n": 1, "body": PLAIN}))
    assert extract_text(json.dumps({"n": 1, "text": PLAIN}), "text") == PLAIN
    deep = "[" * 100_000
    assert extract_text(deep, "text") == deep, "no JSON, and not ours to say more"


# Prose that has marks in it is prose

ODD_PROSE = {
    "dialogue": "\n".join(f'"{t}," said the cook: "{u}" — "No!"' for t, u in pairwise(PROSE)),
    "a tag now and then": "\n".join(f"{t} The <b> tag and <br/> are HTML." if i % 5 == 0 else t for i, t in enumerate(PROSE)),
    "a play": "\n".join(f"{'HAMLET' if i % 2 else 'OPHELIA'}: {t}" for i, t in enumerate(PROSE)),
    "verse with commas": "\n".join(f"{t.split(', ')[0]}, and so on" for t in PROSE),
    "statute": "\n".join(f"({'abcdef'[i % 6]}) {t[:-1].lower()};" for i, t in enumerate(PROSE)),
    "chapter and verse": "\n".join(f"{i // 20 + 1}:{i % 20 + 1} {t}" for i, t in enumerate(PROSE)),
    "footnotes": "\n".join(f"{t}[{i}] See Smith (19{i % 90 + 10}), p. {i}." for i, t in enumerate(PROSE)),
    "films": "\n".join(f"{t[:-1]} (19{i % 90 + 10})" for i, t in enumerate(PROSE)),
    "brackets first": "[Illustration]\n\n" + PLAIN,
    "brace first": "{A note of the editor} " + PLAIN,
    "minutes": "\n".join(f"- Anna: {t}" for t in PROSE),
    "to-do list": "\n".join(f"- [ ] {t}" for t in PROSE),
    "quoted mail": "\n".join(f"> {t}" for t in PROSE),
    "addresses": "\n".join(f"{t} Mail <a.b@c.de> or see <https://c.de/x>." for t in PROSE),
    "indented by a tab": "\n".join(f"\t{t}" for t in PROSE),
    "paths of Windows": "\n".join(f"{t} It is in C:\\Users\\cook\\letters." if i % 9 == 0 else t for i, t in enumerate(PROSE)),
    "numbered": "\n".join(f"{i}. {t}" for i, t in enumerate(PROSE)),
    "recipe": "\n".join(f"{i % 9} x {i * 50} g flour; {t}" for i, t in enumerate(PROSE)),
    "pictures": "\n".join(f"{t} 😀😀😀" for t in PROSE),
}  # fmt: skip


@pytest.mark.parametrize("what", ODD_PROSE)
def test_prose_with_marks_is_prose(what: str) -> None:
    text = ODD_PROSE[what]
    check_prose(text, "text")
    check_prose(text, "text.txt", suffix=".txt")
    assert extract_text(text, "text") == text


@pytest.mark.parametrize("language", SENTENCES)
def test_prose_of_any_language_is_prose(language: str) -> None:
    check_prose(paragraphs_of(SENTENCES[language]), "text")


def test_documentation_is_prose(tmp_path: Path) -> None:
    """This project's Markdown, its lessons, and Python's documentation page by page."""
    pages = [path for folder in (HERE, HERE / "docs", HERE / "benchmarks") for path in sorted(folder.glob("*.md"))]
    pages.remove(HERE / "docs" / "reliability.md")  # nothing but tables
    assert len(pages) > 5
    for page in pages:
        check_prose(extract_text(page.read_text("utf-8"), page.name), page.name, suffix=".md")
    for lesson in sorted((HERE / "notebooks").glob("*.ipynb")):
        text = extract_text(lesson.read_text("utf-8"), lesson.name)
        assert "cell_type" not in text
        check_prose(text, lesson.name, suffix=".ipynb")
    stdlib = Path(random.__file__).parent
    documents = [
        *docs.read_topics(stdlib),
        *docs.read_docstrings(stdlib / "email"),
        *docs.read_docstrings(stdlib / "json"),
    ]
    texts = ["\n\n".join(document.paragraphs) for document in documents]
    assert sum(len(text) > 500 for text in texts) > 50
    for text in texts:
        if len(text) > 500:
            check_prose(text, text[:40])

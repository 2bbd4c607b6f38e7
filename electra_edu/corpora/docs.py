"""The documentation on this computer as a corpus: Python's own, optionally with that of the installed libraries.

Source files are parsed and never imported. The text depends on the Python version and the libraries, so the corpus
carries its SHA-256.
"""

import ast
import inspect
import os
import sys
import sysconfig
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from importlib import metadata
from math import inf
from pathlib import Path

import tokenizers

from electra_edu.corpora import build, docstring_prose, encoding, letter_case, normalization, wordpiece
from electra_edu.corpora.build import Document, build_corpus
from electra_edu.corpora.cache import cached
from electra_edu.corpora.corpus import Corpus
from electra_edu.support.errors import CorpusError

TOPICS = Path("pydoc_data", "topics.py")  # Python's language reference, one dict literal
NOT_DOCUMENTATION = {"test", "tests", "testing", "idle_test", "site-packages", "dist-packages"}
MAX_LIBRARY_WORDS = 30_000  # of prose from one library, so that no single library dominates "docs+"
MAX_TOTAL_WORDS = 2_000_000  # of prose from all libraries
LARGEST_FILE = 2_000_000  # bytes; larger source files are generated tables


def load_docs(name: str, *, vocab_size: int, max_seq_length: int) -> Corpus:
    """Return the corpus "docs" (Python's language reference and standard library) or "docs+" (libraries as well).

    `heldout_labels["module"]` is the top-level module that a held-out sequence documents; "capitals" says how its words
    were written. The first call takes seconds ("docs+": a minute); later calls read a cached file. Raises CorpusError
    if this Python has no source files.
    """
    stdlib = Path(sysconfig.get_path("stdlib"))
    libraries = sorted({Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}) if name == "docs+" else []

    def read_and_build() -> Corpus:
        documents = [*read_topics(stdlib), *read_docstrings(stdlib), *read_libraries(libraries)]
        if not any(document.paragraphs for document in documents):
            raise CorpusError(
                f"{name!r}: this Python has no source files in {stdlib}, so there are no docstrings to read. Use a "
                'complete Python (python.org, conda), or load_corpus("toy"), or a text file of your own.'
            )
        return build_corpus(name, documents, vocab_size=vocab_size, max_seq_length=max_seq_length, label_name="module")

    installed = sorted(f"{d.name} {d.version}" for d in metadata.distributions()) if libraries else []
    # The source code of everything that shapes the corpus, so that a change of it does not find an older file.
    modules = (sys.modules[__name__], docstring_prose, build, normalization, wordpiece, encoding, letter_case)
    rules = [inspect.getsource(module) for module in modules]
    key = (sys.version, stdlib, libraries, installed, tokenizers.__version__, rules, vocab_size, max_seq_length)
    return cached(name, repr(key), read_and_build)


def read_topics(stdlib: Path) -> Iterator[Document]:
    """Yield the pages of the language reference that Python's `help()` shows."""
    tree = _parse(stdlib / TOPICS)
    for statement in tree.body if tree else ():
        if isinstance(statement, ast.Assign) and isinstance(statement.value, ast.Dict):
            for page in ast.literal_eval(statement.value).values():
                yield Document(TOPICS.parts[0], [*docstring_prose.paragraphs(page)])


def read_docstrings(folder: Path, module_words: float = inf) -> Iterator[Document]:
    """Yield one document for every source file below `folder`, in a fixed order; tests are skipped.

    The rest of a top-level module is skipped once its files have given `module_words` words.
    """
    words: Counter[str] = Counter()
    for path in _source_files(folder):
        module = path.relative_to(folder).parts[0].removesuffix(".py")
        if words[module] < module_words:
            document = Document(module, [*_docstrings(path)])
            words[module] += _count_words(document)
            yield document


def read_libraries(folders: Iterable[Path]) -> Iterator[Document]:
    """Yield the documents of installed libraries: about MAX_LIBRARY_WORDS of each, and MAX_TOTAL_WORDS of all."""
    total = 0
    for folder in folders:
        for document in read_docstrings(folder, MAX_LIBRARY_WORDS):
            yield document
            total += _count_words(document)
            if total >= MAX_TOTAL_WORDS:
                return


def _source_files(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        # Assigned in place, so that os.walk does not enter the others.
        folders[:] = sorted(name for name in folders if name not in NOT_DOCUMENTATION)
        yield from (Path(parent, name) for name in sorted(files) if name.endswith(".py"))


def _docstrings(path: Path) -> Iterator[str]:
    """Yield the paragraphs of a file's docstrings, from top to bottom."""
    tree = _parse(path)
    for node in _documented(tree) if tree else ():
        yield from docstring_prose.paragraphs(ast.get_docstring(node) or "")


def _documented(node: ast.AST) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield the modules, classes and functions at and below a node; expressions contain none and are skipped."""
    if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case)):
            yield from _documented(child)


def _parse(path: Path) -> ast.Module | None:
    """Return a file's syntax tree; None if the file is missing, huge, or not in the syntax of this Python version."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escape sequences in other people's code
            return ast.parse(path.read_bytes())
    # The parser raises any of these for unusual files.
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _count_words(document: Document) -> int:
    return sum(paragraph.count(" ") + 1 for paragraph in document.paragraphs)

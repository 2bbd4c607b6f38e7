"""Which code a trial's numbers come from: a digest of every module that takes part, and of the libraries' versions."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
ROOT = "electra_edu.experiments.trials"  # what computes a trial; everything that it imports takes part
LIBRARIES = ("torch", "numpy", "scikit-learn", "tokenizers")  # that compute a trial's numbers
WITH_DOCSTRING = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


@cache
def code_version() -> str:
    """Return the digest of the code that this process runs, 16 hexadecimal digits; read once in each process."""
    return digest(PACKAGE)


def digest(package: Path) -> str:
    """Return the digest of the code in the folder `package` that computes a trial.

    Comments, docstrings, blank lines and the modules that no trial uses (panels, lessons, plots) do not count.
    """
    about = hashlib.sha256()
    for name, path in sorted(modules(package).items()):
        about.update(f"{name}\n{_without_docstrings(path)}\n".encode("utf-8", "surrogatepass"))
    about.update(repr([(library, _version(library)) for library in LIBRARIES]).encode())
    return about.hexdigest()[:16]


def modules(package: Path, root: str = ROOT) -> dict[str, Path]:
    """Return the files of `root` and of every module of the package that it imports, itself or through others."""
    found: dict[str, Path] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        path = _file(package, name)
        if path is not None and name not in found:
            found[name] = path
            waiting += _imports(package, path)
    return found


def _imports(package: Path, path: Path) -> Iterator[str]:
    """Yield the modules of the package that a file imports, also inside a function."""
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if _file(package, name) else node.module for name in inside)


def _file(package: Path, name: str) -> Path | None:
    """Return the file of a module below `package`; None for another library's, and for the package's own front door."""
    top, *parts = name.split(".")
    if top != "electra_edu" or not parts:
        return None
    path = package.joinpath(*parts)
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


def _without_docstrings(path: Path) -> str:
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        if isinstance(node, WITH_DOCSTRING) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
    return ast.dump(tree)


def _version(library: str) -> str:
    try:
        return version(library)
    except PackageNotFoundError:  # installed by other means than a Python package
        return ""

"""Which parts of a docstring are prose."""

import pytest

from electra_edu.corpora.docstring_prose import paragraphs

DOCSTRING = """read(path, *, limit=None) -> bytes

    Read a file and
    return its bytes.

    Uses :func:`os.open` and ``mmap`` where *possible*, see `the guide <https://example.org>`_ [1]_.
    See also https://example.org for more about it.
    Here is an example::

        Data is read. This is code all the same.
        x = read("a")

    >>> read("a")
    Some output. This looks like a sentence in it.

    What does this heading ask?
    ---------------------------
    The text below a heading stays.

    =======  ==============================
    Name     Meaning. It is given in a sentence.
    Other    Another. This is the next row of it.
    =======  ==============================

    +------+-------------------------------+
    | Cell | A cell. It is in a big table. |
    +------+-------------------------------+

    .. versionadded:: 3.2
    .. code-block:: python

        This is still code inside a directive.

    .. note::

        The body of a note is prose as well.

    .. warning:: It may begin on the same line
        and go on.

    Another note has nothing between quotes but "half of one.
    The bracket here (as one can see is left open.
    Sum x1 y2 z3 w4 is not made of words.

    Parameters
    ----------
    path : str
        The path of the file that is read.
    limit : int, optional
        Read at most this many bytes.

    Args:
        path (str): The path is given
            as a string here. It is not checked
            before it is used.
        limit: Nothing is read beyond it.
    Raises:
        ValueError: The limit has to be positive.

    :param path: This parameter has a field of its own.
    :returns: a fragment, not a sentence

    - The first item of a list.
    - The second one runs on
      over two lines.

    Changed in version 3.7: A keyword was added to it.
    The "read" call with {braces} is gone, and so is a|b here.
    Größe ist nicht Englisch, also nein.
    THIS IS NO SENTENCE BUT SHOUTING.
"""


def test_prose_is_kept_and_everything_else_is_not() -> None:
    assert [*paragraphs(DOCSTRING)] == [
        "Read a file and return its bytes.",
        "Uses os.open and mmap where possible, see the guide.",
        "The text below a heading stays.",
        "The body of a note is prose as well.",
        "It may begin on the same line and go on.",
        "The path of the file that is read.",
        "Read at most this many bytes.",
        "The path is given as a string here. It is not checked before it is used.",
        "Nothing is read beyond it.",
        "The limit has to be positive.",
        "This parameter has a field of its own.",
        "The first item of a list.",
        "The second one runs on over two lines.",
        "A keyword was added to it.",
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "x", "::", ">>> f()", "=====", "- ", "Two words."])
def test_text_without_a_sentence_gives_nothing(text: str) -> None:
    assert [*paragraphs(text)] == []

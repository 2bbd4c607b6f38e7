"""Every written lesson keeps to the course's frame: opening, terms, sources, predictions, exercises, quiz, numbers."""

import json
import re
from pathlib import Path

import pytest

from electra_edu.course import claims, lesson, lessons
from electra_edu.course.exercises import EXERCISES
from electra_edu.course.glossary import LINK, glossary, with_titles

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [number for number, each in lessons().items() if each.is_written]
NUMBER = re.compile(r"(?<![\w.,/-])(?:\d{1,3}(?:,\d{3})+|\d+\.\d+|\d+%|\.\d{2,}|\d+e-\d+)(?!\w)")


def cells(number: str) -> list[tuple[str, str]]:
    """Return the cells of a lesson as (kind, text)."""
    data = json.loads(path_of(number).read_text(encoding="utf-8"))
    return [(cell["cell_type"], "".join(cell["source"])) for cell in data["cells"]]


def path_of(number: str) -> Path:
    return ROOT / "notebooks" / f"{lesson(number).file}.ipynb"


def code(number: str) -> list[str]:
    return [text for kind, text in cells(number) if kind == "code"]


def prose(number: str) -> str:
    return "\n\n".join(text for kind, text in cells(number) if kind == "markdown")


def evidence(number: str) -> str:
    """Return what a lesson's numbers may rest on: its code, its outputs, and the sources that it links."""
    found = [task.question for task in lesson(number).predictions.values()]
    for cell in json.loads(path_of(number).read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            found.append("".join(cell["source"]))
            # The questions of a quiz are no evidence for themselves.
            is_quiz = "edu.widgets.Quiz(" in found[-1]
            for output in [] if is_quiz else cell["outputs"]:
                found += ["".join(output.get("text", "")), "".join(output.get("data", {}).get("text/plain", ""))]
    for name in sorted({name for kind, name, _, _ in LINK.findall(prose(number)) if kind == "claim"}):
        found.append(f"{claims()[name].value} {claims()[name].says}")
        if re.fullmatch(r"[\d.]+%", claims()[name].value):  # then "the other 85%" has the same source
            found.append(f"{100 - float(claims()[name].value[:-1]):g}%")
    return "\n".join(found)


def unsupported(text: str, evidence: str) -> list[str]:
    """List the numbers of a text that are neither quoted as claims nor found in `evidence`."""
    text = re.sub(r"```.*?```|\$\$.*?\$\$|`[^`]*`|\$[^$]*\$", " ", text, flags=re.DOTALL)
    text = LINK.sub(" ", text)
    text = re.sub(r"\[[^\]]*\]\([^)]*\)|arXiv[: ]\d+\.\d+|\b[Ss]ections? [\d., and]+", " ", text)
    numbers = {found.strip("%") for found in NUMBER.findall(text)}
    known = {found.strip("%").removeprefix("0") for found in NUMBER.findall(evidence)} | {
        f"{100 * float(found):g}" for found in re.findall(r"(?<![\w.])0?\.\d+", evidence)
    }
    return sorted(found for found in numbers if found.removeprefix("0") not in known)


def test_every_notebook_is_a_written_lesson() -> None:
    assert [path_of(number).name for number in WRITTEN] == sorted(path.name for path in ROOT.glob("notebooks/*.ipynb"))


@pytest.mark.parametrize("number", WRITTEN)
def test_opens_with_its_question_its_goals_and_the_machine(number: str) -> None:
    each = lesson(number)
    first = cells(number)[0][1]
    assert first.startswith(f"# {number} · {each.title}\n")
    assert re.search(r"\*\*.+\*\*", first)
    if number != "00":  # it opens with a game instead, and brings the machine after it
        assert f"**Question:** {each.question}" in first
        assert f"About {each.minutes} minutes" in first
        assert f'edu.widgets.Header("{number}")' in code(number)[0]
    assert "\n".join(f"- {item}" for item in each.goals) in prose(number)
    assert sum(f'edu.widgets.Header("{number}")' in text for text in code(number)) == 1


@pytest.mark.parametrize("number", WRITTEN)
def test_asks_all_its_predictions_and_questions(number: str) -> None:
    each, source = lesson(number), "\n".join(code(number))
    for name in each.predictions:
        asked = re.search(rf'(\w+) = edu\.widgets\.Prediction\("{number}", "{name}"\)', source)
        assert asked, f"{name} is never asked"
        assert f"{asked.group(1)}.reveal(" in source[asked.end() :], f"{name} is never revealed"
    assert source.count("edu.widgets.Prediction(") == len(each.predictions)
    assert source.count(f'edu.widgets.Quiz("{number}")') == 1


@pytest.mark.parametrize("number", WRITTEN)
def test_exercises_appear_unchanged(number: str) -> None:
    given = {name: exercise.starter.strip("\n") for name, exercise in EXERCISES.items() if exercise.lesson == number}
    assert tuple(given) == tuple(sorted(lesson(number).exercises, key=list(EXERCISES).index))
    for name, starter in given.items():
        wanted = f'{starter}\n\n\nedu.check("{name}", {name})'
        assert wanted in code(number), f"the cell of {name} is not its starter with its check"


@pytest.mark.parametrize("number", WRITTEN)
def test_titles_of_terms_and_claims_are_up_to_date(number: str) -> None:
    text = prose(number)
    assert text == with_titles(text), "make lessons fills in the titles"
    links = LINK.findall(text)
    assert links
    assert len(links) == len(re.findall(r"class=['\"]edu-(?:term|claim)", text)), "a link is not of the usual form"
    for kind, name, _, words in links:
        if kind == "claim":
            assert claims()[name].value in words


@pytest.mark.parametrize("number", WRITTEN)
def test_numbers_are_computed_or_have_a_source(number: str) -> None:
    assert unsupported(prose(number), evidence(number)) == []


def test_every_term_and_every_claim_is_linked() -> None:
    linked = {(kind, name) for number in WRITTEN for kind, name, _, _ in LINK.findall(prose(number))}
    assert {("term", name) for name in glossary()} - linked == set()
    assert {("claim", name) for name in claims()} - linked == set()


@pytest.mark.parametrize("number", WRITTEN)
def test_questions_and_replies_invent_no_numbers(number: str) -> None:
    """They cannot hold links, so their numbers have to stand in the lesson, where they have a source."""
    each = lesson(number)
    texts = [task.question for task in each.predictions.values()]
    for question in each.quiz:
        texts += [question.question, *(f"{option.text}\n{option.why}" for option in question.options)]
    assert unsupported("\n".join(texts), f"{evidence(number)}\n{prose(number)}") == []


@pytest.mark.parametrize(
    ("text", "evidence", "left"),
    [
        ("It is 84.3 there.", "", ["84.3"]),
        ("It is 84.3 there.", "print(84.3)", []),
        ("a rate of 15%", "mask_prob=0.15", []),
        ("a rate of 15%", "", ["15"]),
        ("the other 85%", "15% are hidden", ["85"]),
        ("0.42 nats", "it is .42", []),
        ("about 7", "", []),
        ("`84.3` and $0.5$", "", []),
        ("in 19,014,714 cases", "19,014,714", []),
        ("arXiv 2003.10555, section 3.2", "", []),
        ("<a class='edu-claim' href='#claim-x' title=''>84.3</a>", "", []),
    ],
)
def test_an_unsupported_number_is_found(text: str, evidence: str, left: list[str]) -> None:
    assert unsupported(text, evidence) == left


def test_the_map_names_every_lesson_and_links_the_written_ones() -> None:
    rows = re.findall(
        r"^\| [^|]*\| \**\[?(\d\d) ([^\]|*]+)\]?\(?([\w.]*)\)?\** \| ([^|]+) \|$", prose("00"), re.MULTILINE
    )
    named = [(number, title.strip(), file, question.strip()) for number, title, file, question in rows]
    assert named == [
        (n, each.title, f"{each.file}.ipynb" if each.is_written and n != "00" else "", each.question)
        for n, each in lessons().items()
    ]

"""The commands and their options; what they do is in the modules beside this one."""

import errno
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from typer.core import TyperGroup

from electra_edu.cli import bench as benchmarks
from electra_edu.cli import doctor as checkup
from electra_edu.cli import experiments, lessons
from electra_edu.cli import lab as jupyterlab
from electra_edu.cli.terminal import accept_every_character, complain, say
from electra_edu.support.errors import ElectraEduError

INTERRUPTED = 130  # the exit code of a program that Ctrl-C ended


class CommandLine(TyperGroup):
    """All commands: what they print fits any terminal, and what goes wrong is a sentence and an exit code.

    1: it could not be done, or only in part. 2: no such command or option. 130: Ctrl-C.
    """

    def main(self, *args: Any, **settings: Any) -> Any:
        """Run the command that the arguments name."""
        accept_every_character()
        return super().main(*args, **settings)

    def invoke(self, ctx: Any) -> Any:
        """Run the command, and answer a mistake in a sentence instead of a traceback."""
        try:
            return super().invoke(ctx)
        except ElectraEduError as error:
            complain(str(error))
            raise typer.Exit(1) from error
        except OSError as error:
            if error.errno == errno.EPIPE:  # whoever read the output has had enough: Typer ends quietly
                raise
            complain(f"The computer refused: {error}.")
            raise typer.Exit(1) from error
        except KeyboardInterrupt as error:
            complain(str(error) or "Stopped.")
            raise typer.Exit(INTERRUPTED) from error


app = typer.Typer(
    cls=CommandLine,
    help="An ELECTRA you can take apart: a course in JupyterLab. Start with [bold]electra-edu lab[/bold].",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_show_locals=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


bench = typer.Typer(help="Time training on this computer.", no_args_is_help=True)
app.add_typer(bench, name="bench", rich_help_panel="Experiments")

Rounds = Annotated[int, typer.Option(min=1, help="Rounds; every contender has a turn in each.")]
Seconds = Annotated[float, typer.Option(min=0.001, help="How long a turn takes, about.")]
Device = Annotated[str, typer.Option(help="cpu or cuda.")]
DType = Annotated[str, typer.Option(help="float32, or bfloat16: forward and loss under autocast, meant for a GPU.")]
CorpusName = Annotated[str, typer.Option("--corpus", help="toy, docs or docs+.")]
Seeds = Annotated[int, typer.Option(min=1, max=10_000, help="Runs of each.")]
Jobs = Annotated[int | None, typer.Option(min=1, help="Runs at a time; as many as cores when left out.")]
Results = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="Where results are kept, and found again after a stop.")
]
Retry = Annotated[bool, typer.Option("--retry", help="Run again what failed before.")]
Replace = Annotated[bool, typer.Option("--replace", help="Write over the table of another experiment.")]
Out = Annotated[Path | None, typer.Option(metavar="FOLDER", help="Write what was measured into this folder.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        say(f"electra-edu {version('electra-edu')}")
        raise typer.Exit


@app.callback()
def main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Take the options that come before a command."""


@app.command(rich_help_panel="The course")
def lab(
    folder: Annotated[
        Path, typer.Option("--dir", metavar="PATH", help="Where your copies of the lessons are kept.")
    ] = Path("electra_lessons"),
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open a browser tab.")] = True,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the server; without it, the first free one from 8888.")
    ] = None,
    extra: Annotated[
        list[str] | None,
        typer.Argument(metavar="[-- ARGS]", help="Options for JupyterLab itself, after two dashes; paths in full."),
    ] = None,
) -> None:
    """Open the lessons in JupyterLab: your copies, in a folder of yours.

    What you change there is kept: a newer version of a changed lesson is laid beside it.
    """
    jupyterlab.check(port, extra or ())
    laid = lessons.lay_out(lessons.lessons_folder(), folder)
    _report(laid, folder)
    code = jupyterlab.start(folder, laid.lessons[0], port=port, browser=browser, extra=extra or ())
    raise typer.Exit(code)


@app.command(rich_help_panel="The installation")
def doctor(
    speed: Annotated[bool, typer.Option("--speed/--no-speed", help="Train for five steps and time them.")] = True,
) -> None:
    """Check this computer and the installation, and say what to do where something is wrong."""
    found = checkup.checks()
    if speed and not any(check.problem for check in found):
        found.append(checkup.check_speed())
    for check in found:
        say(f"{'MEND' if check.problem else 'ok':<5}{check.name:<34}{check.value}")
        if check.problem:
            say(f"     {check.problem}", style="red")
    wrong = sum(check.problem is not None for check in found)
    say("All is well." if not wrong else f"{wrong} thing{'s' if wrong > 1 else ''} to mend.")
    raise typer.Exit(1 if wrong else 0)


@app.command(rich_help_panel="Experiments")
def race(
    name: Annotated[str, typer.Argument(metavar="RACE", help="objectives (the paper's Table 5) or schemes.")],
    corpus: CorpusName = "toy",
    tflop: Annotated[float, typer.Option(min=0.001, help="What each run may spend, in 10¹² operations.")] = 0.5,
    seeds: Seeds = 3,
    jobs: Jobs = None,
    out: Results = Path("results"),
    retry: Retry = False,
    replace: Replace = False,
) -> None:
    """Hold ways to train against each other at equal FLOPs, and print what their features know."""
    experiments.race(name, corpus, tflop, seeds, jobs, out, retry, replace)


@app.command(rich_help_panel="Experiments")
def sweep(
    settings: Annotated[
        list[str], typer.Argument(metavar="SETTING=VALUE,…", help="Settings of the config; all combinations are run.")
    ],
    corpus: CorpusName = "toy",
    tflop: Annotated[
        list[float] | None, typer.Option(min=0.001, help="When to score, in 10¹² operations; may be repeated. 0.3.")
    ] = None,
    seeds: Seeds = 3,
    jobs: Jobs = None,
    out: Results = Path("results"),
    retry: Retry = False,
    replace: Replace = False,
) -> None:
    """Train every combination of some settings on several seeds, and print what came out."""
    experiments.sweep(settings, corpus, tflop or [0.3], seeds, jobs, out, retry, replace)


@app.command(rich_help_panel="Experiments")
def record(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME …]", help="See --list.")] = None,
    show: Annotated[bool, typer.Option("--list", help="Say what there is, and run nothing.")] = False,
    every: Annotated[bool, typer.Option("--all", help="All of them, one after another.")] = False,
    jobs: Jobs = None,
    out: Results = Path("results"),
    retry: Retry = False,
    replace: Replace = False,
) -> None:
    """Run the experiments behind the lessons again, and write their tables; says first how long it will take."""
    if show:
        Console().print(experiments.listing())
        return
    experiments.record(names or (), every, out, jobs, retry, replace)


@bench.command("step")
def bench_step(
    shape: Annotated[
        list[str] | None, typer.Option(help="toy, lab, small or base; may be repeated. Without it, all that suit.")
    ] = None,
    rounds: Rounds = 7,
    seconds: Seconds = 1.0,
    device: Device = "cpu",
    dtype: DType = "float32",
    out: Out = None,
) -> None:
    """Time a training step beside transformers', electra-pytorch's and a textbook's, and against a matrix product."""
    benchmarks.report().step(shape or (), rounds, seconds, device, dtype, out)


@bench.command("growth")
def bench_growth(
    rounds: Rounds = 7, seconds: Seconds = 1.0, device: Device = "cpu", dtype: DType = "float32", out: Out = None
) -> None:
    """Time and weigh a step as length, width, layers and vocabulary double, one at a time."""
    benchmarks.report().growth(rounds, seconds, device, dtype, out)


@bench.command("insight")
def bench_insight(
    corpus: Annotated[list[str] | None, typer.Option(help="toy or docs; may be repeated. Without it, both.")] = None,
    seeds: Annotated[int, typer.Option(min=1, max=10_000, help="Runs on each corpus.")] = 5,
    first_seed: Annotated[int, typer.Option(min=0, help="The first of the seeds.")] = 0,
    device: Device = "cpu",
    patience: Annotated[int | None, typer.Option(min=1, help="Steps after which a run gives up.")] = None,
    out: Out = None,
) -> None:
    """Time from Train until the discriminator passes .90 on the toy language's exam, .75 and .85 on documentation."""
    benchmarks.report().insight(corpus or (), seeds, first_seed, device, patience, out)


def _report(laid: lessons.Laid, folder: Path) -> None:
    """Say what happened to the learner's folder, and how to stop."""
    say(f"Your lessons: {folder.resolve()}")
    if laid.updated:
        say(f"Brought up to date: {', '.join(laid.updated)}")
    for changed, newer in laid.beside:
        say(f"You changed {changed}, so it stays as it is; the new version is beside it: {newer}")
    if laid.ignored:
        say(f"{laid.ignored} is of an older version or somebody else's: it is not read, and you may delete it.")
    say("JupyterLab is starting. Ctrl-C in this window ends it; your work is saved in the folder.")

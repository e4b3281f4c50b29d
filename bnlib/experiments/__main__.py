"""`python -m bnlib.experiments`: list experiments, run them, write the page of verdicts."""

import signal
import sys

import click

from bnlib.errors import ParameterError
from bnlib.experiments.catalogue import identifiers
from bnlib.experiments.records import load
from bnlib.experiments.runner import outdated, run
from bnlib.experiments.table import PAGE, numbers, write_page

INTERRUPTED = 130  # what a shell says of a command that Ctrl-C ended


@click.command()
@click.argument("ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Run all experiments.")
@click.option("--again", is_flag=True, help="Also run those whose results are up to date.")
@click.option("--jobs", default=2, show_default=True, help="How many to run at a time.")
def main(ids: tuple[str, ...], everything: bool, again: bool, jobs: int) -> None:
    """Try the claims about batch norm: run the experiments of IDS, or --all.

    Results that are up to date with the code are kept; --again measures them anew. Ctrl-C stops,
    and keeps what is done. Without IDS or --all: list what there is. Results go to
    bnlib/experiments/results, the page of all verdicts to docs/verdicts.md.
    """
    try:
        chosen = list(identifiers() if everything else ids)
        if chosen:
            sys.exit(_run(chosen, again, jobs))
        _list()
    except ParameterError as error:
        raise click.UsageError(str(error)) from None


def _run(chosen: list[str], again: bool, jobs: int) -> int:
    """Run what has to be run, write the page, show the verdicts; return the exit code."""
    wanted = chosen if again else outdated(chosen)
    if len(wanted) < len(chosen):
        click.echo(f"up to date: {len(chosen) - len(wanted)} (--again runs them, too)", err=True)
    code = 0
    try:
        failed = run(wanted, jobs=jobs)
        if failed:
            click.echo(f"failed, see above: {', '.join(failed)}", err=True)
            code = 1
    except KeyboardInterrupt:
        click.echo("\nstopped; what was done is kept, the same command goes on", err=True)
        code = INTERRUPTED
    write_page()
    for name in chosen:
        _show(name)
    if PAGE.parent.is_dir():
        click.echo(f"the table: {PAGE}", err=True)
    return code


def _show(name: str) -> None:
    """Print a verdict and the numbers that it rests on."""
    found = load(name)
    if found is None:
        click.echo(f"{name}: no result")
        return
    click.echo(f"{name}: {found.outcome.verdict}. {found.claim}")
    for measure in found.outcome.measures:
        click.echo(f"    {numbers(measure)}")


def _list() -> None:
    """Print all experiments with what is known of them."""
    changed = set(outdated(identifiers()))
    for name in identifiers():
        found = load(name)
        verdict = found.outcome.verdict if found else "not run yet"
        note = " (out of date)" if found and name in changed else ""
        click.echo(f"{name:20} {verdict}{note}")


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end what runs, as Ctrl-C does
    main()

"""`python -m bnlib.gpu`: what this computer has, and how fast its memory is."""

import sys

import click

from bnlib.gpu.report import NOT_RUN, save, table, take

NO_GPU = 3  # exit code: what was asked for was not run


@click.command()
@click.option("--cpu", "kinds", flag_value="cpu", help="Only the processor.")
@click.option("--cuda", "kinds", flag_value="cuda", help="Only the GPU.")
@click.option("--save", "keep", is_flag=True, help="Keep the GPU's numbers for the lecture.")
def main(kinds: str | None, keep: bool) -> None:
    """Measure copies and batch norm on the processor and on the GPU.

    Exit code 0: all was measured. 3: there is no GPU; what needs one was not run, and says so.
    """
    reports = [take(kind) for kind in ([kinds] if kinds else ["cpu", "cuda"])]
    for report in reports:
        click.echo(table(report))
        if keep and report.device == "cuda" and report.status != NOT_RUN:
            click.echo(f"kept in {save(report)}", err=True)
    if any(report.status == NOT_RUN for report in reports):
        sys.exit(NO_GPU)


if __name__ == "__main__":
    main()

"""Measure the grader: `python -m benchmarks.grading`, or with `--class 1000`.

Progress goes to stderr, the tables to stdout. Fails if something promised is not so.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading", description=__doc__)
    parser.add_argument("--class", type=int, dest="number", help="grade a class of this size")
    parser.add_argument("--submissions", type=int, default=24, help="for the comparison")
    parser.add_argument("--rounds", type=int, default=7, help="of ours and of the floor: median")
    parser.add_argument("--no-rivals", action="store_true", help="leave nbgrader and Otter out")
    asked = parser.parse_args()

    from benchmarks.grading import contest, large_class, machine, phases, table
    from benchmarks.grading.courses import make_course
    from benchmarks.grading.students import hand_in

    print(machine.facts(), flush=True)
    # short: a socket's path has at most 107 bytes
    with tempfile.TemporaryDirectory(prefix="bench") as name:
        folder = Path(name)
        if asked.number is not None:
            large = large_class.measure(folder / "large", asked.number)
            lines, kept = large_class.large_table(large), large_class.large_promises(large)
        else:
            held = contest.hold(folder, asked.submissions, asked.rounds, not asked.no_rivals)
            lines, kept = table.contest_table(held), table.promises(held)
            print("\n".join(lines), flush=True)
            course, warm_up = make_course(folder / "phases", contest.WARM_UP)
            group = hand_in(course.root, 2400, asked.submissions)
            lines = table.phases_table(phases.measure(course, warm_up, group))
        print("\n".join(["", *lines, ""]))
        for text, is_so in kept.items():
            print(f"{'ok ' if is_so else 'NO '} {text}")
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main())

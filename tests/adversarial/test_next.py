"""What one submission leaves in the warm worker's open files must not reach the next one."""

from __future__ import annotations

from pathlib import Path

from tests.adversarial.case import Case
from tests.adversarial.grading import run_cases
from tests.adversarial.test_cases import expected, observed

POISON = """
import os, select
for poller in range(3, 20):
    for other in range(3, 20):
        try:
            select.epoll.fromfd(os.dup(poller)).unregister(other)
            print("unregistered")
        except OSError:
            pass
"""
AWAITS = """
import asyncio, time
await asyncio.to_thread(time.sleep, 0.2)
def center(x):
    return x - x.mean(axis=0)
"""


def test_an_event_loop_is_not_shared_with_the_next_submission(tmp_path: Path) -> None:
    """Whoever empties the event loop's list of files spoils no `await` of the next student."""
    first = Case("a-empties-the-loop", "", first=POISON)
    second = Case("b-awaits", "", answers={"center": AWAITS})

    run = run_cases([first, second], tmp_path, workers=1)

    assert observed(run, second) == expected(run, second)

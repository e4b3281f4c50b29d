"""Forks of the warm parent are cheap, and a student's own forks are as they always are."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

from tests.worker.conftest import Talk

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")


def _run(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout


def test_hooks_are_held_back_from_our_forks_only() -> None:
    said = _run(
        """
        import os
        from autograder.worker.forks import hooks_held_back, our_fork
        register = os.register_at_fork
        with hooks_held_back():
            child, before = (lambda: os.write(1, b"child ")), (lambda: os.write(1, b"before "))
            os.register_at_fork(after_in_child=child, before=before)
        assert os.register_at_fork is register
        def fork():
            if pid := os.fork():
                os.waitpid(pid, 0)
            else:
                os._exit(0)
        with our_fork():
            fork()
        os.write(1, b"| ")
        fork()
        """
    )
    assert said == "| before child "


@pytest.mark.skipif(sys.platform != "linux", reason="large pages are asked for on Linux only")
def test_large_pages_hold_what_the_small_ones_held() -> None:
    said = _run(
        """
        from pathlib import Path
        from autograder.worker.forks import use_large_pages
        held = [bytes([i % 251]) * 40_000 for i in range(1000)]
        rows = [[float(i), str(i)] for i in range(100_000)]
        use_large_pages()
        assert all(text == bytes([i % 251]) * 40_000 for i, text in enumerate(held))
        assert all(row == [float(i), str(i)] for i, row in enumerate(rows))
        print("the same")
        """
    )
    assert said == "the same\n"


def test_a_fork_of_a_students_draws_its_text(talk: Talk) -> None:
    """Matplotlib drops its fonts in a fork, because two processes may not read one open file."""
    source = """
    import os
    import matplotlib.pyplot as plt
    from matplotlib import font_manager

    plt.plot([1, 2])
    plt.savefig("first.png")
    held = font_manager._get_font.cache_info().currsize
    pid = os.fork()
    if pid == 0:
        os._exit(font_manager._get_font.cache_info().currsize)
    print(held > 0, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    plt.close()
    """
    assert talk.said(textwrap.dedent(source)).strip() == "True 0"

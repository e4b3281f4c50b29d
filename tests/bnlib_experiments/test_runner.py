"""Experiments run in processes of their own; what is done is kept, whatever happens to the rest."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from click.testing import CliRunner

import bnlib.experiments.__main__ as command
from bnlib.errors import ParameterError
from bnlib.experiments import Scale
from bnlib.experiments.catalogue import ORDER, experiment, identifiers
from bnlib.experiments.records import load, save
from bnlib.experiments.runner import measure, outdated, run
from bnlib.experiments.table import PAGE
from tests.bnlib_experiments.planted import record

TINY = Scale(seeds=2, steps_factor=0.02)


def test_experiments_are_found_by_their_files():
    """In the table's order; helpers and the package's own modules are none."""
    found = identifiers()
    assert "convergence" in found
    assert not {"_curves", "runner", "records", "vocabulary", "results"} & set(found)
    known = [name for name in ORDER if name in found]
    assert list(found[: len(known)]) == known


@pytest.mark.parametrize("name", identifiers())
def test_every_experiment_says_what_it_claims_and_who_does(name):
    """A sentence, and a source with a year."""
    found = experiment(name)
    assert found.claim.endswith(".")
    assert len(found.claim) < 200
    assert re.search(r"\b(19|20)\d\d\b", found.source)


def test_a_wrong_name_is_refused_with_the_right_ones():
    """Before anything runs."""
    with pytest.raises(ParameterError, match=r"no experiment 'magic'.*convergence"):
        run(["magic"])
    with pytest.raises(ParameterError, match="jobs must be at least 1; got 0"):
        run(["length_direction"], jobs=0)


def test_a_run_leaves_records_that_are_current(tmp_path, capfd):
    """Two at a time, with a bar on stderr; then there is nothing left to do."""
    names = ["length_direction", "placement"]
    assert outdated(names, tmp_path) == names
    assert run(names, jobs=2, scale=TINY, folder=tmp_path) == []
    assert outdated(names, tmp_path) == []
    assert load("length_direction", tmp_path).outcome.seeds == 2
    assert "2/2" in capfd.readouterr().err


def test_the_same_run_gives_the_same_numbers():
    """Whatever ran before: seeds are all there is."""
    first, second = (measure("placement", TINY).outcome.measures for _ in range(2))
    assert first == second


FAILING = """
import sys
from pathlib import Path
import bnlib.experiments.runner as runner
from bnlib.experiments.vocabulary import Scale

def start(name, scale, folder):
    import multiprocessing
    process = multiprocessing.get_context("spawn").Process(target=sys.exit, args=(3,))
    process.start()
    return process

if __name__ == "__main__":
    real = runner._start
    runner._start = lambda name, *rest: (start if name == "placement" else real)(name, *rest)
    print(runner.run(["placement", "length_direction"], jobs=1,
                     scale=Scale(2, 0.02), folder=Path(sys.argv[1])))
"""


def test_one_that_fails_is_named_and_the_others_go_on(tmp_path):
    """Also if its process is gone altogether."""
    script = tmp_path / "failing.py"
    script.write_text(FAILING)
    done = subprocess.run(
        [sys.executable, script, tmp_path], capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == "['placement']"
    assert load("length_direction", tmp_path) is not None
    assert load("placement", tmp_path) is None


INTERRUPTED = """
import sys
from pathlib import Path
import bnlib.experiments.runner as runner
from bnlib.experiments.vocabulary import Scale

def forever(name, scale, folder):
    import multiprocessing, time
    spawn = multiprocessing.get_context("spawn")
    process = spawn.Process(target=time.sleep, args=(600,), daemon=True)  # as the real ones are
    process.start()
    print("waiting", process.pid, flush=True)
    return process

if __name__ == "__main__":
    real = runner._start
    runner._start = lambda name, *rest: (forever if name == "placement" else real)(name, *rest)
    runner.run(["length_direction", "placement"], jobs=1,
               scale=Scale(2, 0.02), folder=Path(sys.argv[1]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGINT is sent as POSIX systems do")
def test_an_interrupt_ends_what_runs_and_keeps_what_is_done(tmp_path):
    """No process is left behind."""
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)
    process = subprocess.Popen(
        [sys.executable, script, tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    child = int(process.stdout.readline().split()[1])
    process.send_signal(signal.SIGINT)
    try:
        _, stderr = process.communicate(timeout=20)
    except subprocess.TimeoutExpired:  # Python drops one that comes in a destructor: press again
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in stderr
    assert load("length_direction", tmp_path) is not None
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(child, 0)
        except ProcessLookupError:
            break
        time.sleep(0.05)
    else:
        pytest.fail("the experiment goes on")


@pytest.fixture
def offline(tmp_path, monkeypatch):
    """Let the command work on a folder of its own, and only note what it would run."""
    asked = []
    monkeypatch.setattr(command, "load", lambda name: load(name, tmp_path))
    monkeypatch.setattr(command, "outdated", lambda names: outdated(names, tmp_path))
    monkeypatch.setattr(command, "run", lambda names, jobs: asked.append((names, jobs)) or [])
    monkeypatch.setattr(command, "write_page", lambda: asked.append("page"))
    return tmp_path, asked


def test_without_a_name_the_command_lists_what_there_is(offline):
    """And what is known of it."""
    folder, asked = offline
    save(record(id="placement"), folder)
    done = CliRunner().invoke(command.main, [])
    lines = dict(line.split(maxsplit=1) for line in done.output.splitlines())
    assert set(lines) == set(identifiers())
    assert lines["placement"] == "supported (out of date)"
    assert lines["convergence"] == "not run yet"
    assert asked == []


def test_the_command_runs_what_is_not_up_to_date(offline):
    """All of it with --again; then it writes the page and shows the verdicts."""
    folder, asked = offline
    save(measure("length_direction", TINY), folder)
    done = CliRunner().invoke(command.main, ["length_direction", "placement"])
    assert done.exit_code == 0
    assert asked == [(["placement"], 2), "page"]
    assert "up to date: 1" in done.stderr
    assert "length_direction: " in done.stdout
    assert "placement: no result" in done.stdout
    assert str(PAGE) in done.stderr
    asked.clear()
    CliRunner().invoke(command.main, ["length_direction", "--again", "--jobs", "5"])
    assert asked[0] == (["length_direction"], 5)


def test_all_means_all(offline):
    """In the table's order."""
    _, asked = offline
    CliRunner().invoke(command.main, ["--all", "--again"])
    assert asked[0] == (list(identifiers()), 2)


@pytest.mark.parametrize(("happens", "code"), [("fails", 1), ("is stopped", 130)])
def test_the_exit_code_says_how_it_went(offline, monkeypatch, happens, code):
    """The page is written in any case, of what there is."""
    _, asked = offline

    def run(names, jobs):
        if happens == "is stopped":
            raise KeyboardInterrupt
        return ["placement"]

    monkeypatch.setattr(command, "run", run)
    done = CliRunner().invoke(command.main, ["placement"])
    assert done.exit_code == code
    assert asked == ["page"]
    assert "Traceback" not in done.output


def test_a_wrong_name_is_a_usage_error(offline, monkeypatch):
    """Exit code 2, and the names there are."""
    monkeypatch.setattr(command, "run", run)
    done = CliRunner().invoke(command.main, ["magic"])
    assert done.exit_code == 2
    assert "convergence" in done.output

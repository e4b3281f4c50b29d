"""Results on disk: what is written is what is read, whole, and only if it is current."""

import json
import math

import pytest

import bnlib.experiments.records as records
from bnlib.experiments import Measure
from bnlib.experiments.catalogue import experiment, identifiers
from bnlib.experiments.records import current_versions, is_current, load, save
from tests.bnlib_experiments.planted import outcome, record


def test_what_is_saved_is_loaded(tmp_path):
    """Numbers, words, and runs that diverged."""
    measure = Measure("m", "%", (1.5, math.inf), (-math.inf, 2.0), decides=False)
    found = record(measure)
    save(found, tmp_path)
    assert load("planted", tmp_path) == found
    save(record(Measure("m", "%", (math.nan,), (1.0,))), tmp_path)
    assert math.isnan(load("planted", tmp_path).outcome.measures[0].with_bn[0])


def test_a_file_is_plain_json(tmp_path):
    """Numbers rounded to six digits, no NaN that other readers refuse, one line end a line."""
    save(record(Measure("m", "%", (1 / 3, math.nan), (2.0, 3.0))), tmp_path)
    content = (tmp_path / "planted.json").read_bytes()
    assert b"\r" not in content
    assert content.endswith(b"}\n")
    parsed = json.loads(content, parse_constant=pytest.fail)
    assert parsed["outcome"]["measures"][0]["with_bn"] == [0.333333, "nan"]


def test_an_interrupted_write_leaves_the_old_record(tmp_path, monkeypatch):
    """And no temporary file."""
    save(record(), tmp_path)

    def stop(self, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(type(tmp_path), "replace", stop)
    with pytest.raises(KeyboardInterrupt):
        save(record(outcome=outcome(seconds=99.0)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["planted.json"]
    assert load("planted", tmp_path).outcome.seconds == 12.3


def test_what_never_ran_has_no_record(tmp_path):
    """None, and no error."""
    assert load("planted", tmp_path) is None


def test_a_record_is_current_as_long_as_code_and_versions_are(monkeypatch):
    """Other code, or another torch, and the numbers have to be measured again."""
    now = records.record(experiment("convergence"), outcome())
    assert is_current(now)
    assert not is_current(record(id="convergence", versions=current_versions()))
    monkeypatch.setattr(records, "version", lambda package: "9.9+cu999")
    assert current_versions()["torch"] == "9.9"
    assert not is_current(now)


@pytest.mark.parametrize("name", identifiers())
def test_the_numbers_in_the_repository_are_those_of_the_code(name):
    """Otherwise: `make experiments`. The wording of claim and source, too."""
    found = load(name)
    assert found is not None, f"{name} has never run: make experiments"
    assert found.code == records.fingerprint(f"bnlib.experiments.{name}"), "make experiments"
    assert (found.claim, found.source) == (experiment(name).claim, experiment(name).source)

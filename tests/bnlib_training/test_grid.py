"""The command behind the sliders: what is missing is trained, what is there is kept."""

import numpy as np
import pytest
from click.testing import CliRunner

from bnlib.training import grid


@pytest.fixture
def tiny(monkeypatch):
    """Make the grid four cells of two short runs."""
    monkeypatch.setattr(grid, "NORMS", ("none", "batch"))
    monkeypatch.setattr(grid, "BATCH_SIZES", (1, 4))
    monkeypatch.setattr(grid, "RATES", (0.1,))
    monkeypatch.setattr(grid, "SEEDS", 2)
    monkeypatch.setattr(grid, "STEPS", 4)
    monkeypatch.setattr(grid, "EVERY", 2)


def test_the_stored_grid_is_what_the_code_describes():
    """Shapes and axes as in the module, and every cell done."""
    stored = grid.load(grid.FILE)
    assert stored["done"].all()
    assert stored["curves"].shape == grid.empty()["curves"].shape
    assert grid.FILE.stat().st_size < 300_000


def test_a_stored_curve_is_what_training_gives_now():
    """One cell trained again: the same numbers, but for the last digits of another machine."""
    stored = grid.load(grid.FILE)
    cell = (grid.NORMS.index("batch"), grid.BATCH_SIZES.index(32), grid.RATES.index(0.1))
    again = grid.curves("batch", 32, 0.1, seed=0)
    np.testing.assert_allclose(again[1], stored["curves"][cell][0, 1], atol=3.0)


def test_batch_norm_cannot_train_on_one():
    """All nan, and nothing raised."""
    assert np.isnan(grid.curves("batch", 1, 0.1, seed=0)).all()


def test_the_command_makes_a_file_and_goes_on_from_it(tiny, tmp_path, monkeypatch):
    """An interrupted run keeps its cells; the next trains only the others; a third none."""
    file, asked = tmp_path / "grid.npz", []

    def interrupted(cell):
        asked.append(cell)
        if len(asked) == 3:
            raise KeyboardInterrupt
        return cell, np.full((2, 2, 3), float(len(asked)))

    monkeypatch.setattr(grid, "one_cell", interrupted)
    first = CliRunner().invoke(grid.main, ["--file", str(file), "--jobs", "1"])
    assert first.exit_code == 1
    assert grid.load(file)["done"].sum() == 2
    second = CliRunner().invoke(grid.main, ["--file", str(file), "--jobs", "1"])
    assert second.exit_code == 0
    assert "complete" in second.output
    assert len(asked) == 5
    assert asked[2] == asked[3]
    CliRunner().invoke(grid.main, ["--file", str(file), "--jobs", "1"])
    assert len(asked) == 5


def test_real_cells_are_trained(tiny, tmp_path):
    """Losses and errors at three checkpoints, nan where batch norm has a batch of one."""
    assert grid.complete(tmp_path / "grid.npz", jobs=1)
    found = grid.load(tmp_path / "grid.npz")["curves"]
    assert found.shape == (2, 2, 1, 2, 2, 3)
    assert np.isnan(found[1, 0]).all()
    assert np.isfinite(found[0]).all()
    assert np.isfinite(found[1, 1]).all()


def test_a_file_of_another_grid_is_not_taken(tiny, tmp_path):
    """Other learning rates: begin anew."""
    file = tmp_path / "grid.npz"
    other = grid.empty()
    other["rates"] = np.array([0.7])
    other["done"][:] = True
    grid.save(file, other)
    assert not grid.load(file)["done"].any()

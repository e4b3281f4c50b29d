"""Training over a grid of batch sizes, learning rates and norms, for the lecture's sliders.

``python -m bnlib.training.grid`` trains what is missing in `bnlib/data/training_grid.npz` and
writes it there; an interrupt keeps what is done, and the next call goes on. ``--again`` starts
over.
"""

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from itertools import product
from multiprocessing import get_context
from pathlib import Path

import click
import numpy as np
import torch
from torch import nn
from tqdm.auto import tqdm

import bnlib
from bnlib.data import digits
from bnlib.nets import mlp
from bnlib.nets.norms import Norm
from bnlib.training.evaluation import evaluating
from bnlib.training.loop import train

NORMS: tuple[str, ...] = ("none", "batch", "group")
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
RATES = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
SEEDS = 3
STEPS, EVERY = 300, 15
SIZES = (64, 64, 64, 10)
FILE = Path(bnlib.__file__).parent / "data" / "training_grid.npz"
WORST = 1e4  # losses beyond this are stored as it: a diverged run has no number

Cell = tuple[int, int, int]
"""Indices of norm, batch size and learning rate."""


def curves(norm: str, batch_size: int, lr: float, seed: int) -> np.ndarray:
    """Train one network; return its test loss and test error (%) at each checkpoint.

    Parameters
    ----------
    norm : "none", "batch" or "group"
        What normalises the two hidden layers of 64.
    batch_size : int
        Images per step. Batch norm cannot train on 1: all `nan`.
    lr : float
        Of plain SGD.
    seed : int
        Of weights and order.

    Returns
    -------
    ndarray of shape (2, 1 + STEPS // EVERY)
        Before training and after each `EVERY` steps, in evaluation mode; `nan` after a run
        diverged.
    """
    found = np.full((2, 1 + STEPS // EVERY), np.nan)
    if norm == "batch" and batch_size == 1:
        return found
    data = digits()
    kinds: dict[str, Norm] = {"none": None, "batch": "batch", "group": "group"}
    model = mlp(SIZES, norm=kinds[norm], seed=seed)
    x, y = torch.from_numpy(data.test_x), torch.from_numpy(data.test_y)
    found[:, 0] = measured(model, x, y)

    def look(step: int, model: nn.Module, loss: float) -> None:
        if (step + 1) % EVERY == 0:
            found[:, (step + 1) // EVERY] = measured(model, x, y)

    train(model, data, steps=STEPS, batch_size=batch_size, lr=lr, seed=seed, on_step=look)
    return found


@torch.no_grad()
def measured(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    """Return loss and error (%) in evaluation mode; a loss that is no number counts as WORST."""
    with evaluating(model):
        outputs = model(x)
    loss = float(nn.functional.cross_entropy(outputs, y).nan_to_num(WORST, WORST))
    wrong = (outputs.argmax(1) != y) | outputs.isnan().any(1)
    return min(loss, WORST), 100.0 * float(wrong.float().mean())


def one_cell(cell: Cell) -> tuple[Cell, np.ndarray]:
    """Train all seeds of one cell of the grid."""
    torch.set_num_threads(1)
    norm, size, rate = NORMS[cell[0]], BATCH_SIZES[cell[1]], RATES[cell[2]]
    return cell, np.stack([curves(norm, size, rate, seed) for seed in range(SEEDS)])


def empty() -> dict[str, np.ndarray]:
    """Return a grid in which nothing is done."""
    shape = (len(NORMS), len(BATCH_SIZES), len(RATES))
    return {
        "done": np.zeros(shape, bool),
        "curves": np.full((*shape, SEEDS, 2, 1 + STEPS // EVERY), np.nan, np.float32),
        "steps": np.arange(0, STEPS + 1, EVERY),
        "norms": np.array(NORMS),
        "batch_sizes": np.array(BATCH_SIZES),
        "rates": np.array(RATES),
    }


def load(path: Path) -> dict[str, np.ndarray]:
    """Return the grid in a file, or an empty one if there is none of this shape."""
    fresh = empty()
    if not path.exists():
        return fresh
    with np.load(path) as stored:
        kept = {name: stored[name] for name in stored.files}
    same = kept.keys() == fresh.keys() and all(
        np.array_equal(kept[n], fresh[n]) for n in fresh if n not in ("done", "curves")
    )
    return kept if same and kept["curves"].shape == fresh["curves"].shape else fresh


def save(path: Path, grid: dict[str, np.ndarray]) -> None:
    """Write the grid whole or not at all."""
    beside = path.with_suffix(".part.npz")
    np.savez_compressed(beside, **grid)  # type: ignore[arg-type]
    beside.replace(path)


def trained(cells: list[Cell], jobs: int) -> Iterator[tuple[Cell, np.ndarray]]:
    """Yield cells as they get done."""
    if jobs == 1:
        yield from map(one_cell, cells)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(one_cell, cell) for cell in cells]
        try:
            for future in as_completed(waiting):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def complete(path: Path, jobs: int, again: bool = False) -> bool:
    """Train what is missing in the file; return whether all of it is there now."""
    grid = empty() if again else load(path)
    missing: list[Cell] = [
        (i, j, k)
        for i, j, k in product(*(range(n) for n in grid["done"].shape))
        if not grid["done"][i, j, k]
    ]
    try:
        for cell, found in tqdm(trained(missing, jobs), total=len(missing), unit="cell"):
            grid["curves"][cell], grid["done"][cell] = found, True
    except KeyboardInterrupt:
        click.echo("Interrupted: what is done is kept; call again to go on.", err=True)
    finally:
        if missing:
            save(path, grid)
    return bool(grid["done"].all())


@click.command()
@click.option("--again", is_flag=True, help="Train everything anew.")
@click.option("--jobs", default=2, show_default=True, help="How many processes.")
@click.option("--file", default=FILE, type=click.Path(path_type=Path), show_default=True)
def main(again: bool, jobs: int, file: Path) -> None:
    """Train the grid behind the sliders on batch size and learning rate."""
    if not complete(file, jobs, again):
        raise SystemExit(1)
    click.echo(f"{file}: complete, {file.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main()

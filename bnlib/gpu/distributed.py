"""Synchronised batch norm over processes that share nothing, through `torch.distributed`.

On CPUs with gloo, through 127.0.0.1 and a file both can see: no network, no open port. Each process
runs this module: ``python -m bnlib.gpu.distributed FOLDER RANK``.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from bnlib.errors import BnlibError
from bnlib.gpu.sync import sync_batchnorm_backward, sync_batchnorm_forward

SECONDS = 120.0  # two processes import torch and meet in four, on two idle cores
LOOK = 0.05  # seconds between two looks at whether they have ended
LOOPBACK = {"linux": "lo", "darwin": "lo0"}


class WorkerError(BnlibError, RuntimeError):
    """A process did not finish its part."""


def run_in_processes(
    shards: Sequence[Tensor], dy_shards: Sequence[Tensor], gamma: Tensor, beta: Tensor
) -> list[dict[str, Any]]:
    """Run forward and backward of synchronised batch norm, one process for each shard.

    Parameters
    ----------
    shards, dy_shards : sequence of Tensor of shape (n_i, C)
        Inputs and upstream gradients; unequal and empty shards are fine.
    gamma, beta : Tensor of shape (C,)
        The same in all processes.

    Returns
    -------
    list of dict
        What each process has at the end: `y`, `dx`, `dgamma`, `dbeta`, `count`, and `sums`, how
        often it took part in a sum.

    Raises
    ------
    WorkerError
        If a process fails, with its last words, or does not end in time.
    """
    with tempfile.TemporaryDirectory() as folder:
        job = {"gamma": gamma, "beta": beta, "shards": list(shards), "dys": list(dy_shards)}
        torch.save(job, Path(folder, "job.pt"))
        processes = [_start(folder, rank) for rank in range(len(shards))]
        try:
            _wait(folder, processes)
        finally:
            for process in processes:
                process.kill()
                process.wait()
        return [torch.load(Path(folder, f"{rank}.pt")) for rank in range(len(shards))]


def _start(folder: str, rank: int) -> subprocess.Popen[bytes]:
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    if sys.platform in LOOPBACK:
        environment["GLOO_SOCKET_IFNAME"] = LOOPBACK[sys.platform]
    with Path(folder, f"{rank}.log").open("wb") as log:
        return subprocess.Popen(  # noqa: S603 -- this module itself
            [sys.executable, "-m", "bnlib.gpu.distributed", folder, str(rank)],
            env=environment,
            stdout=log,
            stderr=log,
        )


def _wait(folder: str, processes: list[subprocess.Popen[bytes]]) -> None:
    """Wait for all processes; the first that fails is named: the others would wait for it."""
    end = time.monotonic() + SECONDS
    while any(process.poll() is None for process in processes):
        if time.monotonic() > end:
            raise WorkerError(f"The processes did not end within {SECONDS:g} seconds.")
        if any(process.poll() for process in processes):
            break
        time.sleep(LOOK)
    for rank, process in enumerate(processes):
        if process.poll():
            words = Path(folder, f"{rank}.log").read_text(errors="replace").strip().splitlines()
            raise WorkerError(f"Process {rank} failed: {(words or ['without a word'])[-1]}")


def work(folder: Path, rank: int) -> dict[str, Any]:
    """Do one process's part: join the others, run both passes on its own shard."""
    from torch import distributed

    job = torch.load(folder / "job.pt")
    shards = job["shards"]
    meeting = f"file://{folder / 'meeting'}"
    wait = timedelta(seconds=SECONDS)
    distributed.init_process_group(
        "gloo", init_method=meeting, rank=rank, world_size=len(shards), timeout=wait
    )
    sums = 0

    def all_reduce(parts: list[Tensor]) -> Tensor:
        nonlocal sums
        sums += 1
        mine = parts[rank].clone()
        distributed.all_reduce(mine)
        return mine

    # each process knows its own shard: those of the others are empty here
    own = [shard if i == rank else shard[:0] for i, shard in enumerate(shards)]
    dys = [dy if i == rank else dy[:0] for i, dy in enumerate(job["dys"])]
    ys, stats = sync_batchnorm_forward(own, job["gamma"], job["beta"], all_reduce)
    dxs, dgamma, dbeta = sync_batchnorm_backward(dys, own, job["gamma"], stats, all_reduce)
    distributed.destroy_process_group()
    found = {"y": ys[rank], "dx": dxs[rank], "dgamma": dgamma, "dbeta": dbeta}
    return {**found, "count": int(stats[2]), "sums": sums}


def main(folder: str, rank: str) -> None:
    """Run one process."""
    torch.set_num_threads(1)
    torch.save(work(Path(folder), int(rank)), Path(folder, f"{rank}.pt"))


if __name__ == "__main__":
    main(*sys.argv[1:])

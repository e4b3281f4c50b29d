"""The package as a whole: examples, names, and what it may load."""

import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import bnlib.gpu

MODULES = [f"bnlib.gpu.{m.name}" for m in pkgutil.iter_modules(bnlib.gpu.__path__)]
REFERENCES = {
    "pick_device": "()",
    "to_device": "(batch, device)",
    "time_op": "(fn, device, warmup, repeats)",
    "bytes_moved": "(shape, dtype, pass_, fused)",
    "achieved_bandwidth": "(n_bytes, ms)",
    "peak_memory": "(fn, device)",
    "batchnorm_mixed": "(x, gamma, beta, eps=1e-05)",
    "merge_stats": "(a, b)",
    "sync_batchnorm_forward": "(shards, gamma, beta, all_reduce, eps=1e-05)",
    "sync_batchnorm_backward": "(dy_shards, shards, gamma, stats, all_reduce, eps=1e-05)",
}


@pytest.mark.parametrize("module", [*MODULES, "bnlib.traffic"])
def test_the_examples_in_the_docstrings_are_true(module):
    """Every module's doctests."""
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize(("name", "signature"), REFERENCES.items())
def test_every_exercise_has_its_reference(name, signature):
    """Under the exercise's own name and parameters."""
    parameters = inspect.signature(getattr(bnlib.gpu, name)).parameters.values()
    bare = [p.replace(annotation=inspect.Parameter.empty) for p in parameters]
    assert f"({', '.join(map(str, bare))})" == signature
    assert name in bnlib.gpu.__all__


def test_bnlib_alone_does_not_load_it():
    """Whoever wants NumPy only does not wait for torch."""
    code = "import sys, bnlib, bnlib.traffic; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"

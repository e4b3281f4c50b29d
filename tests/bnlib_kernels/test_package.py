"""What the package loads, and what it says where its kernels cannot run."""

import doctest
import os
import subprocess
import sys

import pytest
import torch

import bnlib.kernels
from bnlib.kernels import KernelsUnavailableError, availability, batch_norm_forward, why_not

WITHOUT_TRITON = """
import sys
class NoTriton:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "triton":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, NoTriton())
import importlib.util
find = importlib.util.find_spec
importlib.util.find_spec = lambda name, *a: None if name == "triton" else find(name, *a)
"""


def python(code, **variables):
    """Run code in a fresh process; return what it printed."""
    env = {**os.environ, **variables}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_examples_in_the_docstrings_are_true():
    """Of the modules that are plain Python."""
    assert doctest.testmod(availability).failed == 0


def test_every_name_is_there():
    """Also those that are loaded on first use; and no other."""
    for name in bnlib.kernels.__all__:
        assert getattr(bnlib.kernels, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'batch_norm_sideways'"):
        _ = bnlib.kernels.batch_norm_sideways


@pytest.mark.parametrize("module", ["bnlib", "bnlib.torch", "bnlib.kernels"])
def test_importing_loads_no_triton(module):
    """It weighs half a gigabyte, and has no builds for macOS and Windows."""
    assert python(f"import sys, {module}; print('triton' in sys.modules)") == "False"


def test_without_triton_everything_but_the_kernels_works():
    """The layer falls back; who asks for kernels by name is told what is missing."""
    code = """
import torch, bnlib.kernels
from bnlib.torch import FusedBatchNorm2d
x = torch.randn(4, 3, 2, 2)
print(FusedBatchNorm2d(3)(x).shape == x.shape)
layer = FusedBatchNorm2d(3, backend="triton")
for ask in (lambda: layer(x), lambda: bnlib.kernels.triton_bn_forward):
    try:
        ask()
    except bnlib.kernels.KernelsUnavailableError as error:
        print("Triton" in str(error) and "not installed" in str(error))
"""
    assert python(WITHOUT_TRITON + code).split() == ["True"] * 3


def test_without_a_gpu_and_without_the_interpreter_the_reason_is_named():
    """And what to do; the answer is None where kernels can run."""
    code = "import torch; from bnlib.kernels import why_not; print(why_not(torch.zeros(2, 3)))"
    said = python(code, TRITON_INTERPRET="0")
    assert said.startswith("not run: no GPU (x is on cpu)")
    assert "TRITON_INTERPRET=1" in said
    assert python(code, TRITON_INTERPRET="1") == "None"


@pytest.mark.parametrize(
    ("x", "reason"),
    [
        (torch.zeros(2, 3, dtype=torch.float64), "float64"),
        (torch.zeros(2, 3, dtype=torch.int64), "int64"),
        (torch.zeros(3), r"got \(3,\)"),
        (torch.zeros(0, 3), "no empty axis"),
    ],
    ids=["double", "integer", "vector", "empty"],
)
def test_what_kernels_do_not_take_is_refused(x, reason):
    """By `why_not` in words, by a call as an error."""
    assert why_not(x)
    with pytest.raises(KernelsUnavailableError, match=reason):
        batch_norm_forward(x)

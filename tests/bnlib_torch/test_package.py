"""The package as a whole: examples, names, inputs of layers, and what it may load."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest
import torch
from torch import nn

import bnlib.torch
from bnlib.torch import layer_inputs, parameterised_layers
from tests.bnlib_torch.models import batch, network, photograph, same

MODULES = [f"bnlib.torch.{module.name}" for module in pkgutil.iter_modules(bnlib.torch.__path__)]
REFERENCES = {
    "distribution_shift": "(before, after)",
    "shift_of_gradient": "(g_before, g_after)",
    "upstream_update_gradients": "(model, index, loss_fn, x, y, lr)",
    "noisy": "(x, generator, mean_scale, std_scale)",
    "loss_along_gradient": "(model, loss_fn, x, y, steps)",
    "effective_smoothness": "(model, loss_fn, x, y, steps)",
    "claim": "(with_bn, without_bn)",
    "fold_conv_bn": "(conv, bn)",
    "fold_bn_linear": "(bn, linear)",
    "freeze_batchnorm": "(model)",
    "split_decay_groups": "(model, weight_decay)",
}


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_the_docstrings_are_true(module):
    """Every module's doctests."""
    assert doctest.testmod(importlib.import_module(module)).failed == 0


@pytest.mark.parametrize(("name", "signature"), REFERENCES.items())
def test_every_exercise_has_its_reference(name, signature):
    """Under the exercise's own name and parameters."""
    function = getattr(bnlib.torch, name)
    names = function.__code__.co_varnames[: function.__code__.co_argcount]
    assert f"({', '.join(names)})" == signature
    assert name in bnlib.torch.__all__


def test_bnlib_alone_does_not_load_it():
    """Whoever wants NumPy only does not wait for torch."""
    code = "import sys, bnlib; print('torch' in sys.modules or 'bnlib.torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_inputs_of_layers_are_what_they_get():
    """Seen by hooks that are gone afterwards, and without a trace in the model."""
    model, (x, _) = network(), batch()
    before = photograph(model)
    first, second, third = layer_inputs(model, x)
    assert same(before, photograph(model))
    assert torch.equal(first, x)
    torch.testing.assert_close(second, model[:3](x).detach())
    torch.testing.assert_close(third, model[:6](x).detach())
    assert not any(module._forward_pre_hooks for module in model.modules())


def test_layers_that_own_parameters_in_order():
    """Containers and activations own none; a batch norm without affine neither."""
    model = nn.Sequential(nn.Sequential(nn.Linear(2, 2)), nn.BatchNorm1d(2, affine=False))
    assert [name for name, _ in parameterised_layers(model)] == ["0.0"]
    assert [name for name, _ in parameterised_layers(network())] == ["0", "1", "3", "4", "6"]

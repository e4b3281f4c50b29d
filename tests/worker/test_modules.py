"""The helpers of unit 10: modules are as described, and every question can be answered no."""

import copy
import subprocess
import sys

import numpy as np
import pytest
import torch
from torch import nn

from autograder.exercises import find
from autograder.exercises.u10_pytorch.building import batch_norm, conv, linear, sequence
from autograder.shortcuts import find_shortcuts
from autograder.worker.givens import build_given

IMPORTS = ("imports", "import torch\nfrom torch import nn\n")
SGD = {"lr": 0.1, "weight_decay": 0.2}


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a random generator."""
    return np.random.default_rng(0)


def test_a_module_is_what_its_description_says(rng):
    """Options, numbers, dtype, mode; names, shared weights and layers used twice."""
    bn = build_given("module", batch_norm(rng, 3, eps=0.25))
    assert (bn.eps, bn.training, bn.weight.dtype) == (0.25, False, torch.float64)
    assert 3 <= bn.num_batches_tracked < 9
    parts = [linear(rng, 2, 2), {**linear(rng, 2, 2), "weight_of": 0}, {"same_as": 0}]
    model = build_given("module", sequence(*parts, names=["a", "b", "c"]))
    assert model.a.weight is model.b.weight
    assert model.a is model.c
    assert model.a.bias is not model.b.bias


def test_building_leaves_the_global_generator_alone(rng):
    """First weights are drawn for nothing."""
    state = torch.random.get_rng_state()
    build_given("module", conv(rng, 2, 4))
    assert torch.equal(state, torch.random.get_rng_state())


def test_three_steps_are_those_of_sgd(rng):
    """Written out, because torch's own optimiser loads its compiler."""
    model = build_given("module", sequence(linear(rng, 3, 4), batch_norm(rng, 4, 1), training=True))
    twin = copy.deepcopy(model)
    x, y = torch.randn(5, 3).double(), torch.randn(5, 4).double()
    found = build_given("trained", {})(model, x, y, **SGD)
    optimizer = torch.optim.SGD(twin.parameters(), **SGD)
    for number in (1, 2, 3):
        optimizer.zero_grad()
        nn.functional.mse_loss(twin(number * x), y).backward()
        optimizer.step()
    for name, value in twin.state_dict().items():
        np.testing.assert_allclose(found[name], value.numpy(), rtol=1e-12)


class Wrong(torch.autograd.Function):
    """A square whose gradient lacks the factor 2, and which keeps x unwatched."""

    @staticmethod
    def forward(ctx, x, gamma, beta, eps):
        """Square."""
        ctx.x = x
        return gamma * x**2 + beta

    @staticmethod
    def backward(ctx, dy):
        """Differentiate, wrongly."""
        return ctx.x * dy, (ctx.x**2 * dy).sum(0), dy.sum(0), None


def right(x, gamma, beta, eps):
    """Square, differentiated by torch."""
    return gamma * x**2 + beta


def test_questions_about_gradients_have_two_answers():
    """Central differences see a missing factor; a late change is noticed, or does harm."""
    x, dy = torch.randn(3, 2).double().requires_grad_(), torch.randn(3, 2).double()
    gamma, beta = (torch.ones(2).double().requires_grad_() for _ in range(2))
    for function, answer in ((Wrong.apply, False), (right, True)):
        distance = build_given("distance_from_differences", {})(function, dy, x, gamma, beta, 0.1)
        harmless = build_given("late_change_is_harmless", {})(function, x, gamma, beta, dy, 0.1)
        assert (distance == 0.0, harmless) == (answer, answer)


def test_no_helper_loads_the_compiler_or_sympy():
    """Either would cost every submission of a class a second."""
    code = """
import sys, numpy as np, torch
from autograder.exercises import exercises_of
from autograder.oracle import expected_answer
for exercise in exercises_of("u10_pytorch"):
    for case in exercise.cases(np.random.default_rng(0)):
        expected_answer(exercise, case)
print(sorted({"sympy", "torch._dynamo"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("name", "line", "forbidden"),
    [
        ("freeze_batchnorm", "isinstance(model, nn.BatchNorm2d)", False),
        ("freeze_batchnorm", "isinstance(model, nn.modules.batchnorm._BatchNorm)", False),
        ("fold_conv_bn", "isinstance(model, (nn.BatchNorm2d, nn.GroupNorm))", False),
        ("fold_conv_bn", "nn.utils.fusion.fuse_conv_bn_eval(model, model)", True),
        ("fold_conv_bn", "torch.ao.quantization.fuse_modules(model, [])", True),
        ("MyBatchNorm2d", "nn.BatchNorm2d(3)", True),
        ("BatchNormFunction", "nn.functional.batch_norm(model, None, None)", True),
    ],
)
def test_naming_a_class_of_torch_is_honest_and_ready_made_work_is_not(name, line, forbidden):
    """A class is forbidden where batch norm is the exercise, not where it is the subject."""
    cell = ("solution", f"def {name}(model):\n    return {line}\n")
    evidence = find_shortcuts([IMPORTS, cell], name, find(f"u10.{name}").forbidden)
    assert bool(evidence) is forbidden

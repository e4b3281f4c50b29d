import ast
import doctest
import importlib
import inspect
import pkgutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import bnlib
from tests.bnlib.calls import arguments_of, arrays_in, call
from tests.bnlib.grid import DTYPES

ROOT = Path(bnlib.__file__).parent
CORE = sorted(
    f"bnlib.{module.name}"
    for module in pkgutil.iter_modules([str(ROOT)])
    if module.name not in {"plots", "widgets", "torch", "gpu", "kernels"} and not module.ispkg
)
CONTRACT = {
    "center": "(x)",
    "column_scale": "(x)",
    "layer_statistics": "(weights, x, activation)",
    "saturated_fraction": "(h, threshold=0.97)",
    "gradient_norms": "(weights, x, dy)",
    "critical_scale": "(width)",
    "explosion_rate": "(norms)",
    "batch_mean": "(x)",
    "batch_var": "(x, mean)",
    "normalize": "(x, mean, var, eps)",
    "batchnorm_forward": "(x, gamma, beta, eps=1e-05)",
    "identity_affine": "(mean, var, eps)",
    "streaming_mean_var": "(chunks)",
    "update_running": "(running, batch, momentum)",
    "bessel": "(var, m)",
    "momentum_from_keras": "(keras_momentum)",
    "BatchNorm1d": "(num_features, eps=1e-05, momentum=0.1)",
    "BatchNorm2d": "(num_features, eps=1e-05, momentum=0.1)",
    "recalibrate": "(layer, batches)",
    "eval_as_affine": "(layer)",
    "d_scale_shift": "(dy, x_hat, gamma)",
    "d_normalize": "(dx_hat, centered, inv_std)",
    "d_inv_std": "(dinv_std, var, eps)",
    "d_var": "(dvar, centered)",
    "d_center": "(dcentered)",
    "batchnorm_backward": "(dy, cache)",
    "numerical_gradient": "(f, x, dy, h=1e-05)",
    "design_check": "(rng)",
    "batchnorm_backward_closed": "(dy, x_hat, inv_std, gamma)",
    "batchnorm_backward_eval": "(dy, x, gamma, running_mean, running_var, eps=1e-05)",
    "normalize_jacobian": "(x, eps=1e-05)",
    "detached_gap": "(dy, x_hat, inv_std, gamma)",
    "linear_bn_weight_grad": "(x, w, dy, eps=1e-05)",
    "merge_stats": "(a, b)",
    "statistic_noise": "(population, m, trials, rng)",
    "predicted_mean_noise": "(sigma, m)",
    "output_noise": "(sample, population, m, trials, rng, eps=1e-05)",
    "ghost_batchnorm": "(x, gamma, beta, ghost_size, eps=1e-05)",
    "batch_renorm": "(x, running_mean, running_var, r_max, d_max, eps=1e-05)",
    "train_eval_gap": "(layer, batch)",
    "reduce_axes": "(kind, ndim, channel_axis=1)",
    "batchnorm_nd": "(x, gamma, beta, channel_axis=1, eps=1e-05)",
    "layer_norm": "(x, gamma, beta, eps=1e-05)",
    "instance_norm": "(x, eps=1e-05)",
    "group_norm": "(x, num_groups, gamma, beta, eps=1e-05)",
    "which_norm": "(f, shape, rng)",
}


def run(code: str) -> subprocess.CompletedProcess[str]:
    """Run Python code in a process of its own, from the repository's root."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize(("name", "signature"), CONTRACT.items())
def test_every_exercise_has_its_reference_under_its_own_signature(name, signature):
    """The names and parameters that notebooks, exercises and stored submissions rely on."""
    assert name in bnlib.__all__
    parameters = inspect.signature(getattr(bnlib, name)).parameters.values()
    bare = inspect.Signature([p.replace(annotation=p.empty) for p in parameters])
    assert str(bare) == signature


def test_all_is_sorted_and_true():
    """Every name in it exists, and `import *` gives no more."""
    assert bnlib.__all__ == sorted(bnlib.__all__)
    assert len(set(bnlib.__all__)) == len(bnlib.__all__)
    for name in bnlib.__all__:
        assert hasattr(bnlib, name)


def test_importing_bnlib_loads_numpy_and_nothing_heavy():
    """Neither torch nor matplotlib nor widgets, and no grader."""
    result = run("import sys, bnlib; print(*sorted({m.split('.')[0] for m in sys.modules}))")
    assert result.returncode == 0, result.stderr
    loaded = set(result.stdout.split())
    assert {"bnlib", "numpy"} <= loaded
    heavy = {"torch", "matplotlib", "ipywidgets", "IPython", "triton", "autograder", "beartype"}
    assert loaded & heavy == set()


@pytest.mark.parametrize("module", CORE)
def test_the_core_imports_numpy_jaxtyping_and_itself(module):
    """And the standard library; parsed from the source, so lazy imports count, too."""
    tree = ast.parse(Path(importlib.import_module(module).__file__).read_text())
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            imported.add(node.module.split(".")[0])
    assert imported <= {"numpy", "jaxtyping", "bnlib"} | sys.stdlib_module_names


@pytest.mark.parametrize("module", CORE)
def test_the_examples_in_the_docstrings_are_true(module):
    """Every module's doctests."""
    results = doctest.testmod(importlib.import_module(module))
    assert results.failed == 0


@pytest.mark.parametrize("name", [name for name in CONTRACT if name[0].islower()])
def test_every_function_has_an_example(name):
    """Public functions show one use that the doctests run."""
    assert ">>> " in inspect.getdoc(getattr(bnlib, name))


@pytest.mark.parametrize("layout", ["C", "Fortran", "every second", "reversed"])
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", arguments_of(np.float64))
def test_no_function_touches_its_arguments(name, dtype, layout):
    """Not even to put the same bytes back: the arrays are read-only."""
    arguments = arguments_of(dtype, layout)[name]
    given = arrays_in(list(arguments.values()))
    before = [array.copy() for array in given]
    for array in given:
        array.flags.writeable = False
    call(name, arguments)
    for array, copy in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", arguments_of(np.float64))
def test_what_goes_in_as_a_dtype_comes_out_as_it(name, dtype):
    """The forward pass's cache and `pooled_moments` are float64 on purpose."""
    answer = call(name, arguments_of(dtype)[name])
    if name == "batchnorm_forward":
        answer = answer[0]
    expected = np.float64 if name == "pooled_moments" else dtype
    assert {array.dtype for array in arrays_in(answer)} <= {np.dtype(expected)}
    assert arrays_in(answer) or isinstance(answer, float)


@pytest.mark.parametrize("name", arguments_of(np.float64))
def test_no_answer_shares_memory_with_an_argument(name):
    """Changing an answer must not change what it came from; the cache keeps x on purpose."""
    arguments = arguments_of(np.float64)[name]
    answer = call(name, arguments)
    if name == "batchnorm_forward":
        answer = (answer[0], *answer[1][1:])
    for result in arrays_in(answer):
        for array in arrays_in(list(arguments.values())):
            assert not np.shares_memory(result, array)


HOOK = """
import tests.bnlib.typecheck
from jaxtyping import install_import_hook
with install_import_hook("bnlib", "tests.bnlib.typecheck.checked"):
    import bnlib
"""


def test_the_shapes_in_the_signatures_are_true():
    """Every function and layer runs under jaxtyping and beartype, float16 included."""
    result = run(HOOK + "from tests.bnlib.calls import call_everything; call_everything()")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize(
    "wrong",
    [
        "bnlib.normalize(np.ones((4, 3)), np.ones(3), np.ones(2), 1e-5)",
        "bnlib.batch_mean(np.ones(3))",
        "bnlib.batch_mean(np.ones((4, 3), int))",
        "bnlib.bessel(np.ones(3), 2.5)",
    ],
)
def test_the_type_checker_is_awake(wrong):
    """What a signature forbids is refused by the checker, before our own checks see it."""
    result = run(HOOK + f"import numpy as np; {wrong}")
    assert result.returncode == 1
    assert "TypeCheckError" in result.stderr

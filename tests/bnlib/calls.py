"""One call of every exercise's reference function, by name, in a given dtype and layout."""

from collections.abc import Callable

import numpy as np

import bnlib
from tests.bnlib.grid import lay_out

Arguments = dict[str, object]


def arguments_of(dtype: type, layout: str = "C") -> dict[str, Arguments]:
    """Return keyword arguments for every function that takes arrays."""
    rng = np.random.default_rng(11)

    def batch(n: int = 6, c: int = 4) -> np.ndarray:
        return lay_out(rng.normal(size=(n, c)).astype(dtype), layout)

    def vector(c: int = 4) -> np.ndarray:
        return rng.uniform(0.5, 2.0, 2 * c).astype(dtype)[::2]

    x, dy, gamma, beta = batch(), batch(), vector(), vector()
    _, cache = bnlib.batchnorm_forward(x, gamma, beta)
    return {
        "center": {"x": x},
        "column_scale": {"x": x},
        "layer_statistics": {"weights": [batch(4, 3), batch(3, 5)], "x": x, "activation": np.tanh},
        "saturated_fraction": {"h": x},
        "gradient_norms": {"weights": [batch(4, 3), batch(3, 4)], "x": x, "dy": dy},
        "explosion_rate": {"norms": vector()},
        "batch_mean": {"x": x},
        "batch_var": {"x": x, "mean": vector()},
        "normalize": {"x": x, "mean": vector(), "var": vector(), "eps": 1e-5},
        "scale_shift": {"x_hat": x, "gamma": gamma, "beta": beta},
        "inverse_std": {"var": vector(), "eps": 1e-5},
        "batchnorm_forward": {"x": x, "gamma": gamma, "beta": beta},
        "identity_affine": {"mean": vector(), "var": vector(), "eps": 1e-5},
        "streaming_mean_var": {"chunks": [batch(1), batch(5)]},
        "pooled_moments": {"batches": [batch(1), batch(5)]},
        "merge_stats": {"a": (vector(), vector(), 3), "b": (vector(), vector(), 1)},
        "update_running": {"running": vector(), "batch": vector(), "momentum": 0.1},
        "bessel": {"var": vector(), "m": 5},
        "momentum_from_keras": {"keras_momentum": vector()},
        "d_scale_shift": {"dy": dy, "x_hat": x, "gamma": gamma},
        "d_normalize": {"dx_hat": dy, "centered": x, "inv_std": vector()},
        "d_inv_std": {"dinv_std": vector(), "var": vector(), "eps": 1e-5},
        "d_var": {"dvar": vector(), "centered": x},
        "d_center": {"dcentered": dy},
        "batchnorm_backward": {"dy": dy, "cache": cache},
        "numerical_gradient": {"f": lambda v: v**3, "x": x, "dy": dy},
        "batchnorm_backward_closed": {"dy": dy, "x_hat": x, "inv_std": vector(), "gamma": gamma},
        "batchnorm_backward_eval": {
            "dy": dy,
            "x": x,
            "gamma": gamma,
            "running_mean": vector(),
            "running_var": vector(),
        },
        "normalize_jacobian": {"x": vector(7)},
        "detached_gap": {"dy": dy, "x_hat": x, "inv_std": vector(), "gamma": gamma},
        "linear_bn_weight_grad": {"x": x, "w": batch(4, 3), "dy": batch(6, 3)},
        "statistic_noise": {"population": x, "m": 3, "trials": 5, "rng": rng},
        "exact_noise": {"population": x, "m": 3},
        "predicted_mean_noise": {"sigma": vector(), "m": 3},
        "output_noise": {"sample": vector(), "population": x, "m": 3, "trials": 5, "rng": rng},
        "ghost_batchnorm": {"x": x, "gamma": gamma, "beta": beta, "ghost_size": 4},
        "batch_renorm": {
            "x": x,
            "running_mean": vector(),
            "running_var": vector(),
            "r_max": 1.5,
            "d_max": 0.5,
        },
        "train_eval_gap": {"layer": bnlib.BatchNorm1d(4), "batch": x},
        "batchnorm_nd": {"x": x, "gamma": gamma, "beta": beta, "channel_axis": -1},
        "layer_norm": {"x": x, "gamma": gamma, "beta": beta},
        "instance_norm": {"x": x[:, :, np.newaxis].repeat(3, axis=2)},
        "group_norm": {"x": x, "num_groups": 2, "gamma": gamma, "beta": beta},
        "normalize_over": {"x": x, "axes": (1,), "eps": 1e-5},
    }


def arrays_in(value: object) -> list[np.ndarray]:
    """Return the arrays of an argument or an answer, however deep in tuples and lists."""
    if isinstance(value, np.ndarray):
        return [value]
    if isinstance(value, tuple | list):
        return [array for item in value for array in arrays_in(item)]
    return []


def call(name: str, arguments: Arguments) -> object:
    """Call a function of bnlib."""
    function: Callable[..., object] = getattr(bnlib, name)
    return function(**arguments)


def call_everything() -> None:
    """Call every function in every dtype and use both layers: what the type checker watches."""
    for dtype in (np.float16, np.float32, np.float64):
        for name, arguments in arguments_of(dtype).items():
            call(name, arguments)
        rng = np.random.default_rng(0)
        for make, tail in (
            (bnlib.BatchNorm1d, ()),
            (bnlib.BatchNorm1d, (3,)),
            (bnlib.BatchNorm2d, (2, 3)),
        ):
            layer = make(4, momentum=None)
            for mode in (True, False):
                x = rng.normal(size=(5, 4, *tail)).astype(dtype)
                layer.train(mode)(x)
                layer.backward(x)
            bnlib.recalibrate(layer, [x])
            bnlib.eval_as_affine(layer)
            layer.load_state_dict(layer.state_dict())
    images = rng.normal(size=(2, 4, 3, 3))
    bnlib.which_norm(lambda v: bnlib.normalize_over(v, (2, 3), 1e-5), images.shape, rng)
    x, _, _, y = bnlib.design_check(rng)
    str(bnlib.gradcheck(np.multiply, lambda dy, a, b: (dy * b, dy * a), {"a": x, "b": y}, rng))

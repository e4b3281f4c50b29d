"""Noise after batch norm that makes the distribution of its outputs jump at every step."""

import torch
from torch import Tensor, nn

from bnlib.errors import ParameterError, ShapeError


def noisy(x: Tensor, generator: torch.Generator, mean_scale: float, std_scale: float) -> Tensor:
    """Rescale and shift every feature by random numbers that are drawn anew at each call.

    ``y[n, c] = s_c · x[n, c] + m_c`` with ``m_c ~ U(−mean_scale, mean_scale)`` and
    ``s_c ~ U(1, std_scale)``, one pair for each feature, the same for all rows. Normalised
    features, of mean 0 and standard deviation 1, get mean m_c and standard deviation s_c.

    Parameters
    ----------
    x : Tensor of shape (N, C) or (N, C, *spatial)
        Floating; not modified. Gradients flow to it.
    generator : torch.Generator
        Source of all randomness; it moves on, so that the next call draws other numbers.
    mean_scale : float
        Largest shift, at least 0.
    std_scale : float
        Largest factor, at least 1.

    Returns
    -------
    Tensor
        In the shape and dtype of `x`.

    Raises
    ------
    ShapeError
        If `x` has no feature axis.
    ParameterError
        If a scale is outside its range.

    Notes
    -----
    After the "noisy" batch norm of Santurkar et al. (2018, §2.1 and Appendix A), who let mean and
    scale vary from sample to sample, too, around values that are drawn for each feature and step
    as here.

    Examples
    --------
    >>> x = torch.tensor([[-1.0], [1.0]])
    >>> y = noisy(x, torch.Generator().manual_seed(0), mean_scale=0.5, std_scale=1.25)
    >>> bool(y.mean().abs() <= 0.5), bool(1.0 <= (y[1] - y[0]) / 2 <= 1.25)
    (True, True)
    """
    if x.ndim < 2:
        raise ShapeError(
            f"x must have shape (N, C) or (N, C, *spatial), features on axis 1; got "
            f"{tuple(x.shape)}."
        )
    if mean_scale < 0 or std_scale < 1:
        raise ParameterError(
            "mean_scale must be at least 0 and std_scale at least 1, the standard deviation that "
            f"is there already; got {mean_scale} and {std_scale}."
        )
    shape = (1, x.shape[1]) + (1,) * (x.ndim - 2)
    shift, factor = torch.rand(
        (2, *shape), generator=generator, dtype=x.dtype, device=generator.device
    ).to(x.device)
    y: Tensor = (1 + (std_scale - 1) * factor) * x + mean_scale * (2 * shift - 1)
    return y


class NoisyBatchNorm1d(nn.BatchNorm1d):
    """Batch norm whose outputs get a new random mean and scale at every training step.

    Parameters
    ----------
    num_features : int
        C of the input (N, C).
    mean_scale, std_scale : float
        As in `noisy`.
    seed : int, default 0
        Of the layer's own generator.

    Notes
    -----
    In evaluation mode there is no noise.
    """

    def __init__(
        self, num_features: int, mean_scale: float, std_scale: float, seed: int = 0
    ) -> None:
        super().__init__(num_features)
        self.mean_scale, self.std_scale = mean_scale, std_scale
        self.generator = torch.Generator().manual_seed(seed)

    def forward(self, input: Tensor) -> Tensor:
        """Normalise, then add the noise if the layer is in training mode."""
        y = super().forward(input)
        if not self.training:
            return y
        return noisy(y, self.generator, self.mean_scale, self.std_scale)

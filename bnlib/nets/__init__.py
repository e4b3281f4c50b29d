"""Networks for the experiments, as plain torch modules: an MLP, a small CNN.

Weights come from a generator of their own, seeded by an argument: the same seed gives the same
weights whatever norm is put between the layers, so runs with and without it start alike; and
torch's global generator is left as it was.
"""

from bnlib.nets.convolutional import cnn
from bnlib.nets.dense import mlp
from bnlib.nets.norms import Norm, Placement

__all__ = ["Norm", "Placement", "cnn", "mlp"]

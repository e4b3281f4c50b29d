"""Training for the experiments: one loop, seeded, interruptible, that keeps what it measured."""

from bnlib.training.batches import batch_order
from bnlib.training.evaluation import accuracy
from bnlib.training.loop import History, train

__all__ = ["History", "accuracy", "batch_order", "train"]

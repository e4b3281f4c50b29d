"""Which experiments there are: found by their files, in the order of the table."""

import importlib
import pkgutil
from pathlib import Path

from bnlib.errors import ParameterError
from bnlib.experiments.vocabulary import Experiment

PACKAGE = "bnlib.experiments"
INFRASTRUCTURE = {
    "__main__",
    "vocabulary",
    "catalogue",
    "fingerprint",
    "records",
    "results",
    "runner",
    "table",
}

ORDER = (
    *("convergence", "learning_rate", "initialisation", "regularisation"),
    *("shift_distribution", "shift_gradient", "smoothness", "noisy_batchnorm", "length_direction"),
    *("explosion", "skip_connections", "placement", "raw_inputs"),
    *("small_batches", "train_eval", "single_inference", "varying_batches", "adabn"),
    *("ghost_batches", "batch_renorm", "transformer", "autoencoder"),
)
"""The table's order, from what batch norm promises to where it ends; others come after these."""


def identifiers() -> tuple[str, ...]:
    """Return the ids of all experiments: modules of this package, without loading any.

    A module whose name starts with an underscore is a helper of others, not an experiment.
    """
    folder = Path(__file__).parent
    found = {
        module.name
        for module in pkgutil.iter_modules([str(folder)])
        if module.name not in INFRASTRUCTURE and not module.name.startswith("_")
    }
    known = [name for name in ORDER if name in found]
    return (*known, *sorted(found - set(ORDER)))


def experiment(name: str) -> Experiment:
    """Return one experiment by its id.

    Raises
    ------
    ParameterError
        If there is none of that id.
    """
    if name not in identifiers():
        raise ParameterError(
            f"there is no experiment {name!r}. There are: {', '.join(identifiers())}."
        )
    found = importlib.import_module(f"{PACKAGE}.{name}").EXPERIMENT
    assert isinstance(found, Experiment)
    assert found.id == name, f"{name}.py must export an experiment of that id, not {found.id}"
    return found

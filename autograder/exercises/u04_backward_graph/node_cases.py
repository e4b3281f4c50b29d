"""The cases that every node has: the example, four shapes, and an odd memory layout."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from autograder.exercises.u04_backward_graph.batches import odd_layout, shapes, sizes
from autograder.vocabulary import Case
from autograder.worker.script import Script

GATE = "the example of the test cell"
LAYOUT = "arrays that do not lie in one piece in memory"
Inputs = Mapping[str, object]


def node_cases(
    script: Script, label: str, dtype_of: str, example: Inputs, draw: Callable[..., Inputs]
) -> Callable[[np.random.Generator], Iterator[Case]]:
    """Make the cases of a node: the example, four shapes, and an odd memory layout."""

    def case(name: str, inputs: Inputs, *, gate: bool = False, weight: float = 1.0) -> Case:
        arrays = tuple(k for k, v in inputs.items() if isinstance(v, np.ndarray))
        return Case(
            name, inputs, script, (label,), arrays, weight=weight, gate=gate, dtype_of=dtype_of
        )

    def cases(rng: np.random.Generator) -> Iterator[Case]:
        yield case(GATE, example, gate=True)
        for position, (name, n, c) in enumerate(shapes(rng)):
            yield case(name, draw(rng, n, c), weight=1.0 if position else 2.0)
        drawn = draw(rng, *sizes(rng))
        yield case(
            LAYOUT,
            {
                k: odd_layout(v) if isinstance(v, np.ndarray) and v.ndim == 2 else v
                for k, v in drawn.items()
            },
        )

    return cases

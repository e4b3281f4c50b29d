"""Every claim of the literature on batch norm, as an experiment with a verdict.

One module per claim, each with an `EXPERIMENT`; `python -m bnlib.experiments --all` runs them and
writes the table `docs/verdicts.md`. A verdict says what these small networks show on small data,
with an interval; not what is true of batch norm everywhere.
"""

from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of

__all__ = ["Experiment", "Measure", "Outcome", "Scale", "verdict_of"]

"""Whether batch norm keeps the distributions of layers' inputs steadier: the authors' own sense."""

from bnlib.experiments._watched_runs import SETUP, mean_or_worst, shifts_of_run
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets.norms import Norm

STEPS = 150


def shift(norm: Norm, seed: int, steps: int) -> float:
    """Return the mean shift of the inputs of hidden layers, over all steps of one run."""
    _, shifts = shifts_of_run(norm, seed, steps)
    return mean_or_worst(shifts, steps - 1)


def run(scale: Scale) -> Outcome:
    """Measure how far the means of layers' inputs move in one step, with and without."""
    steps, seeds = scale.steps(STEPS), range(scale.seeds)
    measures = (
        Measure(
            "shift of the inputs of hidden layers in one step",
            "standard deviations",
            tuple(shift("batch", seed, steps) for seed in seeds),
            tuple(shift(None, seed, steps) for seed in seeds),
        ),
    )
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "The authors show quantiles of the input of one sigmoid over a training run on MNIST, "
            "much steadier with batch norm (Figure 1b, c), and give no number. Santurkar et al. "
            "2018 (Figure 1) see little difference between the histograms of two VGG layers."
        ),
        comparison=(
            "There is no figure to compare with. Ours is the distance of two means in units of the "
            "spread, averaged over the inputs of all hidden linear layers and all steps; other "
            "moments of the distribution are not looked at."
        ),
        setup=(
            f"{SETUP}, {steps} steps. After each step the same 256 images pass in training mode; "
            "`distribution_shift` between neighbouring steps, dead units left out."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="shift_distribution",
    claim="Batch norm reduces internal covariate shift, as a change of distributions.",
    source="Ioffe & Szegedy 2015, §2 and §4.1",
    run=run,
)

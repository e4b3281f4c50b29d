"""Whether batch norm belongs before the activation, as in the paper, or after it."""

from bnlib.data import digits
from bnlib.experiments._curves import best, error_curve
from bnlib.experiments.vocabulary import Experiment, Measure, Outcome, Scale, verdict_of
from bnlib.nets import cnn, mlp

BATCH = 60
STEPS = {"mlp": 300, "cnn": 200}
RATES = (0.03, 0.1, 0.3, 1.0)
TRIAL_SEED = 1000  # rates are chosen on a run that is not measured
WINDOW = 5  # test errors are averaged over the last looks: one look is noisy


def error(network: str, placement: str, lr: float, seed: int, steps: int) -> float:
    """Return the test error in %, averaged over the last tenth of a training run."""
    every = max(1, steps // (10 * WINDOW))
    if network == "mlp":
        model = mlp([64, 100, 100, 100, 10], norm="batch", placement=placement, seed=seed)
    else:
        model = cnn((8, 16, 16), 10, norm="batch", placement=placement, seed=seed)
    curve = error_curve(
        model, digits(), steps=steps, every=every, batch_size=BATCH, lr=lr, seed=seed
    )
    late = [value for _, value in curve[-WINDOW:]]
    return sum(late) / len(late)


def errors(network: str, placement: str, scale: Scale) -> tuple[float, tuple[float, ...]]:
    """Return the best learning rate of a placement, and the test error of each seed at it."""
    steps = scale.steps(STEPS[network])
    rate = best(RATES, lambda lr: error(network, placement, lr, TRIAL_SEED, steps))
    return rate, tuple(error(network, placement, rate, s, steps) for s in range(scale.seeds))


def run(scale: Scale) -> Outcome:
    """Measure test errors of an MLP and a CNN, each placement at its own best learning rate."""
    found = {
        (network, placement): errors(network, placement, scale)
        for network in STEPS
        for placement in ("before", "after")
    }
    measures = tuple(
        Measure(
            f"test error of the {network.upper()} after {scale.steps(STEPS[network])} steps",
            "%",
            found[network, "before"][1],
            found[network, "after"][1],
            with_label="before",
            without_label="after",
        )
        for network in STEPS
    )
    rates = ", ".join(
        f"{network} {where} {rate:g}" for (network, where), (rate, _) in found.items()
    )
    return Outcome(
        verdict_of(measures),
        measures,
        paper=(
            "Ioffe & Szegedy argue for before: what a linear layer gives out is more nearly "
            "symmetric and Gaussian; they show no comparison. Measured on ImageNet by ducha-aiki "
            "(caffenet-benchmark): CaffeNet 47.8 % right with batch norm before the ReLU, 49.9 % "
            "after; GoogLeNet 60.3 % before, 59.6 % after."
        ),
        comparison=(
            "On ImageNet the figures point either way, depending on the network, and by two "
            "points at most. A difference of that size would show here; the digits are an easy "
            "set, though, on which both placements get nearly all right."
        ),
        setup=(
            f"An MLP (3 × 100 ReLUs) and a CNN (8, 16, 16 channels), digits, batches of {BATCH}, "
            f"plain SGD; learning rate from {', '.join(f'{r:g}' for r in RATES)} by a run of its "
            f"own ({rates}); mean test error of the last {WINDOW} looks."
        ),
        seeds=scale.seeds,
    )


EXPERIMENT = Experiment(
    id="placement",
    claim="Batch norm does better before the activation than after it.",
    source="Ioffe & Szegedy 2015, §3.2",
    run=run,
)

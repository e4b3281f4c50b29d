"""The words of an experiment: what is claimed, what was measured, what follows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bnlib.claims import Verdict, claim


@dataclass(frozen=True)
class Measure:
    """One number per seed, with batch norm and without."""

    name: str
    """What was measured, as a table's row says it: "test error after 500 steps"."""
    unit: str
    """Its unit: "%", "steps", "ratio"."""
    with_bn: tuple[float, ...]
    """One value per seed with batch norm; `nan` or `inf` where the run diverged."""
    without_bn: tuple[float, ...]
    """One value per seed without, or with what batch norm is compared with."""
    smaller_is_claim: bool = True
    """Whether the claim says that batch norm makes this smaller; False: larger."""
    with_label: str = "batch norm"
    """What the first sample is, if it is not plainly batch norm."""
    without_label: str = "none"
    """What the second sample is."""
    decides: bool = True
    """Whether the verdict rests on it; False: shown beside those that it does rest on."""

    @property
    def verdict(self) -> Verdict:
        """What this measure alone says of the claim."""
        if self.smaller_is_claim:
            return claim(self.with_bn, self.without_bn)
        return claim([-v for v in self.with_bn], [-v for v in self.without_bn])


@dataclass(frozen=True)
class Outcome:
    """What an experiment found."""

    verdict: Verdict
    """What the measurements say of the claim, usually `verdict_of(measures)`."""
    measures: tuple[Measure, ...]
    """The numbers it rests on."""
    paper: str
    """The paper's figure, in a sentence."""
    comparison: str
    """How ours compares with it, and why it differs, in a sentence or two."""
    setup: str
    """Network, data, training, what varies over the seeds: enough to repeat it."""
    seeds: int
    """Runs of each kind."""
    seconds: float = 0.0
    """What it cost; the runner fills this in."""


@dataclass(frozen=True)
class Scale:
    """How much work an experiment may do."""

    seeds: int = 5
    """Runs of each kind."""
    steps_factor: float = 1.0
    """All numbers of steps are multiplied by this: 1 for real results, less in tests."""

    def steps(self, full: int) -> int:
        """Return a number of steps at this scale, at least 2."""
        return max(2, round(full * self.steps_factor))


@dataclass(frozen=True)
class Experiment:
    """A claim from the literature, and how to try it."""

    id: str
    """The name of its module."""
    claim: str
    """What is claimed, in one sentence."""
    source: str
    """Who claims it and where: authors, year, section."""
    run: Callable[[Scale], Outcome]
    """Measure. Deterministic: the same scale gives the same numbers."""


def verdict_of(measures: Sequence[Measure]) -> Verdict:
    """Return what several measures say together of one claim.

    "supported" if all that decide support it; "refuted" if at least one refutes it and none
    supports it; "undecided" otherwise: also where one supports and another refutes.
    """
    found = {measure.verdict for measure in measures if measure.decides}
    if found == {"supported"}:
        return "supported"
    return "refuted" if "refuted" in found and "supported" not in found else "undecided"

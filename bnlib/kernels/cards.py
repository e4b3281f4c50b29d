"""What the makers' data sheets promise of some GPUs: for predictions, never for measurements."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    """A GPU by its data sheet."""

    name: str
    """As people call it."""
    bandwidth: float
    """Bytes a second between memory and chip, at the most."""
    flops: float
    """Operations a second in float32 outside of the matrix units, at the most."""
    source: str
    """Where the numbers stand."""

    def memory_ms(self, n_bytes: float) -> float:
        """Return the milliseconds that moving so many bytes takes at the least."""
        return n_bytes / self.bandwidth * 1e3

    def arithmetic_ms(self, operations: float) -> float:
        """Return the milliseconds that so many operations take at the least."""
        return operations / self.flops * 1e3

    @property
    def balance(self) -> float:
        """Operations that the chip does in the time in which it moves one byte."""
        return self.flops / self.bandwidth


#: By name, from the small to the large.
CARDS: dict[str, Card] = {
    card.name: card
    for card in (
        Card("T4", 320e9, 8.1e12, "NVIDIA T4 Tensor Core GPU, data sheet"),
        Card("A100", 2.039e12, 19.5e12, "NVIDIA A100 80GB SXM, data sheet"),
        Card("H100", 3.35e12, 67e12, "NVIDIA H100 SXM, data sheet"),
        Card("H200", 4.8e12, 67e12, "NVIDIA H200 SXM, data sheet"),
    )
}

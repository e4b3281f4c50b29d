"""What the block simulator raises: a GPU would have computed something, and said nothing."""

from bnlib.errors import BnlibError


class BlockError(BnlibError, RuntimeError):
    """A program uses a block or a pointer in a way that no kernel can."""


class OutOfBoundsError(BlockError, IndexError):
    """A program loads or stores outside of an array."""

"""The errors bnlib raises: one base class, and leaves that also are the builtin one expects."""


class BnlibError(Exception):
    """Base of every error that bnlib raises on purpose."""


class ShapeError(BnlibError, ValueError):
    """An array has the wrong number of axes or the wrong length along one of them."""


class DtypeError(BnlibError, TypeError):
    """An array does not hold floating-point numbers."""


class BatchSizeError(BnlibError, ValueError):
    """There are too few values per channel to take the statistic that was asked for."""


class ParameterError(BnlibError, ValueError):
    """A scalar argument, such as eps, is outside its range."""


class StateDictError(BnlibError, RuntimeError):
    """A state dict has missing keys, unexpected keys or entries of the wrong shape."""


class NoForwardError(BnlibError, RuntimeError):
    """A backward pass was asked for before any forward pass."""


class DataError(BnlibError, OSError):
    """A data set's file is missing, damaged, or cannot be downloaded."""

"""Warm workers that run student code, shut in with bubblewrap."""

from autograder.sandbox.bubblewrap import find_fault
from autograder.sandbox.limits import Limits
from autograder.sandbox.warm import Channel, SandboxError, WarmWorker

__all__ = ["Channel", "Limits", "SandboxError", "WarmWorker", "find_fault"]

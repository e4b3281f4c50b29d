"""Simulated cards for these tests: the ones that the grader uses."""

from __future__ import annotations

from autograder.worker.givens import build_given


def computer(**options):
    """Build a computer with a simulated card."""
    return build_given("computer", options)


def on_card(function, *args, **options):
    """Call a function of (operation, ...) on a computer with a card."""
    machine = computer(**options)
    return machine.call_with_operation(function, *args), machine

"""Cheats, accidents and odd-but-honest submissions, and what each of them gets."""

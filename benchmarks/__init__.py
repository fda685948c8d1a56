"""Measurements. None of them is a test: they print figures, and judge nothing but the figures."""

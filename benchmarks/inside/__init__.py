"""Curfew's entry with something changed or watched inside; everything else is `run.py`."""

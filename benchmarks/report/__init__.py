"""Writes what was measured: the table, the plots and docs/performance.md."""

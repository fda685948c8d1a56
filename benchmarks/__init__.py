"""Measurements, printed and judged by nothing but their targets: `make bench`, `make attacks`."""

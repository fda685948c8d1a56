"""Attacks of one address, and what they cost everybody else: `make attacks`."""

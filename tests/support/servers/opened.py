"""The services of a node within a test's own process, without HTTP: those of the testing kit."""

from curfew.testing.in_process import OpenedServices as Opened

__all__ = ["Opened"]

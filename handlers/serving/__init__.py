"""Serving: the parent opens the port, each worker process serves and stops in order."""

"""The sub-commands of `run.py`. They talk to the same store as a running server."""

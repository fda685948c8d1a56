"""One server process: listens, serves, and stops in order."""

"""What a fleet costs and where its first wall is: `python -m benchmarks.capacity [--measure]`."""

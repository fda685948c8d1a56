"""The store: where sessions are kept, and the only place that imports the Redis client."""

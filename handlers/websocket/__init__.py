"""`/ws`: the socket handler and the strict WebSocket framing under it."""

"""The Tornado side: turns requests and sockets into calls on the engine, and verdicts into answers.

Everything that knows Tornado lives here. The engine in `server` never imports this package.
"""

"""The Tornado side: turns requests and sockets into calls on the engine, and outcomes into answers.

Only this package imports Tornado. The engine in `server` never imports this package.
"""

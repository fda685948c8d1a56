"""Parts for parent processes: signals, locks, restarts and forks, without asyncio.

The supervisor and the guard of the embedded store are made of these parts, which know nothing of
sessions and import nothing else of Curfew.
"""

"""The sub-commands of `run.py`. They work on the same store as a running server.

A file declares one command, or one group of them: the name, the help, the arguments, and what runs
it. `run.py` lists the declarations and builds its parser from them.
"""

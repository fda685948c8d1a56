"""The life of sessions: judged by the policy, written to the store, ended with receipts.

It knows nothing of sockets. `server.realtime` stands above it.
"""

"""The life of sessions: judged by the policy, written to the store, ended with receipts."""

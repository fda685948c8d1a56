"""Accounts and what proves a person: passwords, second factors, throttling, recent activity."""

"""A simulated Google account: its Drive (API v2) and its logins, over HTTP, as PyDrive2 asks them.

A person can look into it with a browser. What Google does to its users it does too: quotas, lists
that lag, uploads in parts, one parent for each file, refused tokens. Its bytes are in one SQLite
file, or in memory.
"""

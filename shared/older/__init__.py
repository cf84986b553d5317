"""The configuration of the programs before Snapbus: their variables, and ``app.conf``.

Each of their names is understood, replaced by something else of ours, or ignored for a reason, and
the start says which. Standard library only: `task configure` reads it before any package of ours
is installed.
"""

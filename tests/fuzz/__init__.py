"""`task fuzz`: mutated pictures, commands, settings and messages, thrown at what reads them.

What a reader may say is an error of ours; anything else, and anything slow, is a finding. Its input
is kept in a file, and ``python -m tests.fuzz --again FILE`` throws it once more.
"""

"""Simulated cameras, for the demo and the tests: what they see is drawn, what finds it is ours.

Listens to  nothing
Says        nothing on the bus; it pushes by FTP and answers over HTTP, as cameras do
Owns        nothing
Safe to repeat because cameras repeat themselves too, and intake knows a picture that comes twice.
"""

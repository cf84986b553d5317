"""Simulated cameras, whose pictures are drawn, and a simulated Google, for the demo and the tests.

Listens to  nothing
Says        nothing on the bus; it pushes by FTP and answers over HTTP, as cameras do
Owns        <data>/google, the files of its Google account; the demo's token of it
Safe to repeat because cameras repeat themselves too, and intake knows a picture that comes twice.
"""

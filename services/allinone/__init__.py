"""All services in one process: the size for one machine, and for the demo.

Listens to  what its services listen to
Says        what its services say
Owns        nothing of its own
Safe to repeat because its services are.
"""

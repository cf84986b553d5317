"""The delivery as a state machine: real parts, no threads, any order of faults."""

"""Helpers of the tests: private servers, simulated peers, and what they begin with."""

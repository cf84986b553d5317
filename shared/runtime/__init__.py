"""Runs services in a process: workers, outbox, health, metrics."""

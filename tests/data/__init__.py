"""Makers of test data that the repository may hold."""

"""Tests that break things on purpose and account for every acknowledged picture."""

"""Measurements, each as a ratio to a baseline taken in turn with it in the same run."""

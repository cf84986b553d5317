"""Pen and ink of the drawn scenes: shapes, people, things, and the places they come and go in."""

"""Programs for operators and developers: doctor, dead letters, generated reference."""

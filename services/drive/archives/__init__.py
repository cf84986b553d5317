"""The kinds of archive, each in a file of its own."""

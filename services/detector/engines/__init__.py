"""The engines: each runs a model by its vendor's library, in a file of its own."""

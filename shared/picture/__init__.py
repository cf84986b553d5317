"""Pictures as bytes and as pixels: what format they have, whether they are whole, their decode."""

"""A bounded HTTP client: one deadline for the exchange, a limit on bytes, no foreign redirects."""

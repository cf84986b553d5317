"""Amazon's services, and servers that speak like them: one client, one list of errors."""

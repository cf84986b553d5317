"""One folder per service; a service imports ``shared`` and never another service."""

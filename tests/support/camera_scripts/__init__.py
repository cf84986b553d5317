"""Scripts as people flash them onto cameras: sockets and nothing else, run as programs."""

"""Transport: the broker protocol, its two implementations, and the bus thread that owns one."""

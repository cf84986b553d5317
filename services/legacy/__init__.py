"""Speaks with the programs of an existing system, in the format and by the exchanges they know.

Listens to  snapshot.analyzed, snapshot.shared; triggers on their direct exchange
Says        snapshot.requested, snapshot.notified; pictures and heartbeats on their topic exchange
Owns        the connection to their RabbitMQ, the addresses that triggers told
Safe to repeat because the id of a request follows from the bytes of its trigger, a picture is told
with the same bytes and the same message id each time, and what is old is not told at all.
"""

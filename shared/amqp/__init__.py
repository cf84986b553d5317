"""AMQP 0-9-1, the protocol of RabbitMQ: a connection that is made again for ever, its loop, and
what is declared. For the bus, and for a service that speaks with a RabbitMQ beside it.
"""

"""RabbitMQ: the broker, its topology, its publisher confirms, its accounts' rights."""

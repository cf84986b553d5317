"""RabbitMQ: the broker, its connections and their loop, its topology, its publisher confirms."""

"""The design that comes to mind first, as the baseline of the pipeline benchmark.

One process takes FTP uploads with the stock handler, checks each with Pillow (verify, then load)
in the event loop, and publishes its path, waiting for the confirm. A second one consumes one at a
time, lets ultralytics read the file and predict, publishes the result, and acknowledges.

    python -m tests.bench.naive ftp <amqp url> <folder> <port>
    python -m tests.bench.naive detector <amqp url> <weights>

The detector runs in whatever Python has ultralytics, so this file needs nothing of ours.
"""

from __future__ import annotations

import json
import sys
import time

import pika

EXCHANGE, TAKEN, ANALYZED = "naive", "taken", "analyzed"
PERSISTENT = pika.BasicProperties(delivery_mode=2)


def channel_to(url: str):
    """A channel with confirms, and the quorum queue between the two processes."""
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.exchange_declare(EXCHANGE, "topic", durable=True)
    channel.queue_declare(TAKEN, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(TAKEN, EXCHANGE, TAKEN)
    channel.confirm_delivery()
    return channel


def say(channel, key: str, data: dict) -> None:
    channel.basic_publish(EXCHANGE, key, json.dumps(data).encode(), PERSISTENT, mandatory=False)


def ftp(url: str, folder: str, port: str) -> None:
    """Takes uploads until killed."""
    from PIL import Image
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.servers import FTPServer

    channel = channel_to(url)

    class Handler(FTPHandler):
        def on_file_received(self, file: str) -> None:
            with Image.open(file) as image:
                image.verify()
            with Image.open(file) as image:
                image.load()
            say(channel, TAKEN, {"path": file, "at": time.time()})

    authorizer = DummyAuthorizer()
    authorizer.add_user("porch", "porch-pw", folder, perm="elradfmw")
    Handler.authorizer = authorizer
    server = FTPServer(("127.0.0.1", int(port)), Handler)
    server.max_cons = server.max_cons_per_ip = 0
    server.serve_forever()


def detector(url: str, weights: str) -> None:
    """Answers until killed."""
    from ultralytics import YOLO

    model = YOLO(weights)
    channel = channel_to(url)
    channel.basic_qos(prefetch_count=1)

    def answer(channel, method, _properties, body: bytes) -> None:
        path = json.loads(body)["path"]
        result = model.predict(path, verbose=False)[0]
        say(channel, ANALYZED, {"path": path, "boxes": result.boxes.xyxyn.tolist()})
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(TAKEN, answer)
    channel.start_consuming()


if __name__ == "__main__":
    run = ftp if sys.argv[1] == "ftp" else detector
    run(*sys.argv[2:])

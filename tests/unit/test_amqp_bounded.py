"""A message that is too large is thrown away while it comes."""

from __future__ import annotations

import pika
import pytest
from pika import frame

from shared.amqp.bounded import Bounded

PIECE = bytes(1000)


def header(size: int) -> list[object]:
    return [
        frame.Method(1, pika.spec.Basic.Deliver("tag", 1)),
        frame.Header(1, size, pika.BasicProperties()),
    ]


@pytest.mark.promise("inv I17")
def test_no_more_than_one_frame_of_a_message_that_is_too_large_is_ever_kept() -> None:
    bodies, held = Bounded(most=5_000), []
    for each in header(6_000):
        assert bodies.process(each) is None
    for _ in range(5):
        assert bodies.process(frame.Body(1, PIECE)) is None
        held.append(sum(map(len, bodies._body_fragments)))
    method, _, body = bodies.process(frame.Body(1, PIECE))

    assert max(held) == len(PIECE)
    assert (method.method.delivery_tag, body) == (1, b"")
    assert (bodies.taken(), bodies.taken()) == (6_000, 0)


def test_the_next_message_is_whole_again() -> None:
    bodies = Bounded(most=1_000)
    for each in (*header(2_000), frame.Body(1, PIECE), frame.Body(1, PIECE), *header(1_000)):
        bodies.process(each)
    bodies.taken()
    assert bodies.process(frame.Body(1, PIECE))[2] == PIECE
    assert bodies.taken() == 0

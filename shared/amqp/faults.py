"""Why a connection to RabbitMQ was lost or refused, in words that say what to do."""

from __future__ import annotations

from typing import Any

from pika.adapters.utils import connection_workflow as workflow
from pika.exceptions import AMQPConnectionError, ConnectionBlockedTimeout


def explain(error: Any) -> str:
    """The reason in an error of pika."""
    while True:  # pika wraps the cause up to three times
        if isinstance(error, workflow.AMQPConnectionWorkflowFailed):
            error = error.exceptions[-1]
        elif isinstance(error, workflow.AMQPConnectorPhaseErrorBase):
            error = error.exception
        elif type(error) is AMQPConnectionError and isinstance(error.args[0], BaseException):
            error = error.args[0]
        else:
            break
    if isinstance(error, ConnectionBlockedTimeout):
        return "it took no messages for too long; it is short of memory or disk space"
    text = str(getattr(error, "reply_text", "") or error) or type(error).__name__
    if "NOT_FOUND" in text:
        text += "; `./taskw rund` makes what is missing, such as the queue of a new archive"
    if "PRECONDITION_FAILED" in text and "inequivalent arg" in text:
        text += (
            "; it exists with other settings: remove it (rabbitmqctl delete_queue NAME, or on "
            "RabbitMQ's page), it is made again then and filled from the journal"
        )
    return text

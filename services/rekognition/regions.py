"""Asks one region after the other, until one answers; each has a circuit of its own."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.rekognition.circuit import Circuit
from shared.aws.client import Client
from shared.aws.errors import AwsAway, AwsBusy, AwsError, AwsForbidden, AwsInvalid
from shared.errors import Unreachable
from shared.paid import NotBilled, Purchase

PEER = "rekognition"
BUSY_S = (2.0, 6.0)
"""How long work waits that was refused for coming too fast, unless Amazon says how long."""


class NotTaken(Exception):
    """Amazon does not take this picture, and never will."""


@dataclass(frozen=True, slots=True)
class Region:
    """A region, and whether it is asked."""

    client: Client
    circuit: Circuit


class Regions:
    """The regions in the order in which they are asked. Any thread."""

    def __init__(self, regions: Sequence[Region]) -> None:
        self._regions = regions

    def detect(
        self, picture: bytes, purchase: Purchase, *, labels: int, confidence: float
    ) -> Mapping[str, Any]:
        """The answer of ``DetectLabels``. Raises NotTaken; Unreachable when no region answers;
        Refused when the money does not suffice for the next one."""
        busy: AwsError | None = None
        for each in self._regions:
            if not each.circuit.take():
                continue
            try:
                answer = self._ask(each.client, picture, purchase, labels, confidence)
            except AwsBusy as error:
                each.circuit.answered()
                busy = error
            except AwsInvalid as error:
                each.circuit.answered()
                raise NotTaken(str(error)) from error
            except AwsError as error:
                each.circuit.failed(f"{each.circuit.region}: {error}")
            else:
                each.circuit.answered()
                return answer
        if busy:
            after_s = busy.after_s or random.uniform(*BUSY_S)  # noqa: S311  nothing secret
            raise Unreachable(PEER, str(busy), after_s=after_s)
        raise Unreachable(PEER, self.trouble, after_s=max(1.0, self._wait_s()))

    @staticmethod
    def _ask(
        client: Client, picture: bytes, purchase: Purchase, labels: int, confidence: float
    ) -> Mapping[str, Any]:
        with purchase.paying():
            try:
                return client.call(
                    "detect_labels",
                    Image={"Bytes": picture},
                    MaxLabels=labels,
                    MinConfidence=100 * confidence,
                )
            except AwsError as error:
                if is_free(error):
                    raise NotBilled from error
                raise

    def _wait_s(self) -> float:
        return min(each.circuit.wait_s for each in self._regions)

    @property
    def trouble(self) -> str:
        """What is wrong; empty: nothing is known to be."""
        return "; ".join(each.circuit.trouble for each in self._regions if each.circuit.trouble)

    @property
    def is_down(self) -> bool:
        """Whether none of them answered lately."""
        return all(each.circuit.trouble for each in self._regions)

    def close(self) -> None:
        """Close their connections."""
        for each in self._regions:
            each.client.close()


def is_free(error: AwsError) -> bool:
    """Whether this failure costs nothing: Amazon refused the request, which it says with a code, or
    never got it. A status of 500 and more without a code is that of a gateway on the way, which
    does not know what Amazon did."""
    gateway = error.code.isdecimal() and int(error.code) >= 500
    return (
        (bool(error.code) and not gateway)
        or isinstance(error, AwsForbidden)
        or (isinstance(error, AwsAway) and not error.sent)
    )

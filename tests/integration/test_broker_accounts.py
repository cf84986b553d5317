"""One account on RabbitMQ per service, made by `task configure`: what each may do, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pika
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import AMQPChannelError, ProbableAuthenticationError

from shared.bus.accounts import GUEST, HOME, LEGACY, REQUESTED, SERVICES
from shared.bus.rabbit.broker import RabbitBroker
from shared.bus.rabbit.definitions import GUESTS_QUEUES
from tests.support.fakes import eventually
from tests.support.house import Checkout, HouseRabbit
from tests.support.listeners import Party
from tests.support.peer import Peer

ACCOUNTS = [*SERVICES, HOME, GUEST]
THEIRS = ["home_automation", "home_automation_control"]
TOPICS = sorted({topic for each in SERVICES.values() for topic in each.says})
QUEUES = [name for name, each in SERVICES.items() if each.listens]
OTHERS = ["snapbus.dead", "snapbus.unrouted"]


@pytest.fixture
def root(house: HouseRabbit) -> Iterator[BlockingChannel]:
    """A channel that may do everything; afterwards all queues are empty."""
    with channel(house.url()) as root:
        yield root
        for queue in (*QUEUES, *OTHERS, "drive-nas"):
            root.queue_purge(queue)


@contextmanager
def channel(url: str) -> Iterator[BlockingChannel]:
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        made = connection.channel()
        made.confirm_delivery()
        yield made


def publish(
    made: BlockingChannel, exchange: str, key: str, body: bytes = b"x", user: str | None = None
) -> None:
    made.basic_publish(exchange, key, body, pika.BasicProperties(user_id=user), mandatory=True)


Deed = Callable[[BlockingChannel], object]


@dataclass(frozen=True)
class Forbidden:
    account: str
    name: str
    deed: Deed
    code: int = 403

    def __str__(self) -> str:
        return f"{self.account} {self.name}"


def forged(account: str) -> Iterator[tuple[str, Deed]]:
    """Publishing what the account may not say, by every way there is."""
    own = SERVICES.get(account)
    may = TOPICS if own and own.finishes else own.says if own else ()
    for topic in [*TOPICS, "snapshot", "snapshot.takenly", "camera"]:
        if topic not in may:
            yield f"says {topic}", partial(publish, exchange="snapbus", key=f"{topic}.porch")
    for queue in [*QUEUES, *OTHERS]:
        yield f"puts into {queue}", partial(publish, exchange="", key=queue)
        if not (own and own.finishes and queue in QUEUES):
            yield f"delivers to {queue}", partial(publish, exchange="snapbus.again", key=queue)
    for topic in TOPICS:
        if account != HOME or topic != REQUESTED:
            yield f"asks {topic}", partial(publish, exchange="snapbus.requests", key=f"{topic}.x")
    for exchange in OTHERS:
        yield f"fills {exchange}", partial(publish, exchange=exchange, key="x")


def meddled(account: str) -> Iterator[tuple[str, Deed]]:
    """Changing what is there, or reading what is others'."""
    for queue in [*QUEUES, *OTHERS]:
        yield f"deletes {queue}", partial(_call, "queue_delete", queue)
        bound = {"queue": queue, "exchange": "snapbus", "routing_key": "camera.#"}
        yield f"binds {queue}", partial(_call, "queue_bind", **bound)
        yield f"unbinds {queue}", partial(_call, "queue_unbind", **bound)
        if queue != account:
            yield f"consumes {queue}", partial(_call, "basic_consume", queue, print)
            yield f"gets from {queue}", partial(_call, "basic_get", queue)
            yield f"purges {queue}", partial(_call, "queue_purge", queue)
    unnamed = [] if account in (LEGACY, GUEST) else [""]
    for queue in ["mine", *unnamed, f"{account}x", "homes", "homex.y", "amq.gen-mine"]:
        yield f"declares queue {queue!r}", partial(_call, "queue_declare", queue, durable=True)
    for exchange in ["snapbus", "snapbus.again", "snapbus.requests", *OTHERS]:
        yield f"deletes exchange {exchange}", partial(_call, "exchange_delete", exchange)
    yield "declares an exchange", partial(_call, "exchange_declare", "mine", "topic")
    loop = {"source": "snapbus.requests", "routing_key": "#"}
    yield "opens the way for requests", partial(_call, "exchange_bind", "snapbus", **loop)


def forwarded(queue: str, exchange: str, forward: str) -> Iterator[tuple[str, Deed]]:
    """Having RabbitMQ forward what one may not publish oneself, by names that one may use."""
    for to in ["snapbus", "snapbus.again", "snapbus.dead", ""]:
        dead = {"x-dead-letter-exchange": to, "x-dead-letter-routing-key": "snapshot.taken.x"}
        other = {"alternate-exchange": to}
        name = to or "the default exchange"
        yield (
            f"forwards dead letters to {name}",
            partial(_call, "queue_declare", queue, exclusive=not queue, arguments=dead),
        )
        yield (
            f"forwards what it did not route to {name}",
            partial(_unrouted_to, exchange, other),
        )
        if to:
            yield f"binds an exchange to {name}", partial(_forward, forward, to)


def _body(made: BlockingChannel, queue: str) -> bytes | None:
    found: bytes | None = made.basic_get(queue, auto_ack=True)[2]
    return found


def overheard() -> Iterator[tuple[str, Deed]]:
    """Hearing who logged in."""
    for key in ["#", "*.noted", "access.#", "access.noted", "snapshotx.#"]:
        bound = {"exchange": "snapbus", "routing_key": key}
        yield f"hears {key}", partial(_hear, **bound)


def _hear(made: BlockingChannel, exchange: str, routing_key: str) -> None:
    made.queue_declare("home.ear", exclusive=True)
    made.queue_bind("home.ear", exchange, routing_key)


def spied() -> Iterator[tuple[str, Deed]]:
    """Hearing from a queue that RabbitMQ named what is not of the existing system."""
    for exchange in ["snapbus", "snapbus.requests", *OTHERS, "amq.topic", "amq.rabbitmq.trace"]:
        yield f"binds its queue to {exchange}", partial(_spy, exchange)
        yield f"binds {exchange} to its exchange", partial(_tap, exchange)
    yield "publishes a request", partial(publish, exchange="snapbus.requests", key=f"{REQUESTED}.x")


def _spy(exchange: str, made: BlockingChannel) -> None:
    made.queue_bind(made.queue_declare("", exclusive=True).method.queue, exchange, "#")


def _tap(exchange: str, made: BlockingChannel) -> None:
    made.exchange_declare(THEIRS[0], "topic")
    made.exchange_bind(THEIRS[0], exchange, "#")


def _unrouted_to(exchange: str, arguments: dict[str, str], made: BlockingChannel) -> None:
    if exchange in THEIRS:
        made.exchange_delete(exchange)
    made.exchange_declare(exchange, "topic", arguments=arguments)


def _call(method: str, *args: Any, **options: Any) -> object:
    *rest, made = args
    return getattr(made, method)(*rest, **options)


def _forward(exchange: str, to: str, made: BlockingChannel) -> None:
    made.exchange_declare(exchange, "topic")
    made.exchange_bind(to, exchange)


FORBIDDEN = [
    *(
        Forbidden(account, name, deed)
        for account in ACCOUNTS
        for name, deed in (*forged(account), *meddled(account))
    ),
    *(
        Forbidden(HOME, name, deed)
        for name, deed in (*forwarded("home.dead", "home.e", "home.bridge"), *overheard())
    ),
    *(
        Forbidden(GUEST, name, deed)
        for name, deed in (*forwarded("", THEIRS[0], THEIRS[0]), *spied())
    ),
    *(
        Forbidden(
            account, f"says {topic} as another", code=406,
            deed=partial(publish, exchange="snapbus", key=topic, user="scheduler"),
        )
        for account, own in SERVICES.items() if not own.finishes for topic in own.says
    ),
    Forbidden(
        HOME, "asks as another", code=406,
        deed=partial(publish, exchange="snapbus.requests", key=f"{REQUESTED}.x", user="api"),
    ),
]  # fmt: skip


def test_definitions_hold_what_a_broker_would_declare(house: HouseRabbit) -> None:
    """The first test of this file: others leave exchanges of guests behind."""
    vhost = house.add_vhost()
    broker = RabbitBroker(house.url(vhost))
    for name in QUEUES:
        broker.consume(name, SERVICES[name].listens, prefetch=1)
    broker.consume("drive-nas", SERVICES["drive"].listens, prefetch=1)
    with closing(broker):
        Party(broker).open()

    def made(where: str) -> dict[str, list[str]]:
        found = house.api("GET", f"/api/definitions/{where}")
        return {
            kind: sorted(
                str(sorted({**each, "vhost": ""}.items(), key=str)) for each in found[kind]
            )
            for kind in ("exchanges", "queues", "bindings")
        }

    assert made("%2F") == made(vhost)
    house.remove_vhost(vhost)


@pytest.mark.promise("sec M1", "sec M2")
@pytest.mark.parametrize("account", ACCOUNTS)
def test_what_is_forbidden_is_refused(house: HouseRabbit, account: str) -> None:
    """More than fifty deeds for each account, each on a channel of its own."""
    done = []
    with closing(pika.BlockingConnection(pika.URLParameters(house.url_of(account)))) as connection:
        for each in FORBIDDEN:
            if each.account == account:
                made = connection.channel()
                made.confirm_delivery()
                try:
                    each.deed(made)
                    done.append(f"{each}: allowed")
                except AMQPChannelError as error:
                    if error.args[0] != each.code:
                        done.append(f"{each}: {error}")
    assert done == []


@pytest.mark.promise("sec M1")
@pytest.mark.parametrize("account", SERVICES)
def test_a_service_says_what_it_may_and_reads_its_queue(
    house: HouseRabbit, root: BlockingChannel, account: str
) -> None:
    own = SERVICES[account]
    with channel(house.url_of(account)) as made:
        for topic in TOPICS if own.finishes else own.says:
            publish(made, "snapbus", f"{topic}.porch", user=account)
        for queue in [*QUEUES, "drive-nas"] if own.finishes else ():
            publish(made, "snapbus.again", queue, b"again")
        for topic in own.listens:
            for queue in [account, "drive-nas"] if account == "drive" else [account]:
                root.queue_purge(queue)  # a service may say what it listens to
                publish(root, "snapbus", f"{topic}.porch", b"mine")
                assert eventually(partial(_body, made, queue)) == b"mine"


@pytest.mark.promise("sec M1", "feat D1")
def test_home_automation_hears_all_and_asks_for_pictures(
    house: HouseRabbit, root: BlockingChannel
) -> None:
    with channel(house.url_of(HOME)) as home:
        home.queue_declare("home.hall", durable=True)
        for begins in ("snapshot", "camera"):
            home.queue_bind("home.hall", "snapbus", f"{begins}.#")
        publish(root, "snapbus", "snapshot.analyzed.porch", b"seen")
        publish(home, "snapbus.requests", f"{REQUESTED}.porch", b"please", user=HOME)

        heard = [eventually(lambda: home.basic_get("home.hall", auto_ack=True)[2]) for _ in "12"]
        assert heard == [b"seen", b"please"]
        home.queue_delete("home.hall")
    method, properties, body = root.basic_get("camera", auto_ack=True)
    assert (method.routing_key, properties.user_id, body) == (f"{REQUESTED}.porch", HOME, b"please")


@pytest.mark.promise("sec M1")
def test_through_the_exchange_for_requests_nothing_else_is_forwarded(
    house: HouseRabbit, root: BlockingChannel
) -> None:
    """Not even by an exchange of its own before it, which may carry any routing key."""
    with channel(house.url_of(HOME)) as home:
        home.exchange_declare("home.forward", "fanout")
        home.exchange_bind("snapbus.requests", "home.forward")
        home.basic_publish("home.forward", "snapshot.analyzed.porch", b"forged")
        publish(home, "home.forward", f"{REQUESTED}.porch", b"asked")
        home.exchange_delete("home.forward")

    assert eventually(lambda: root.basic_get("camera", auto_ack=True)[2]) == b"asked"
    for queue in [*QUEUES, *OTHERS, "drive-nas"]:
        assert root.basic_get(queue)[2] is None, queue


@pytest.mark.promise("sec M1")
def test_nobody_else_can_log_in(house: HouseRabbit) -> None:
    for account in ("guest:guess", "guest:", "snapbus:", f"{HOME}:guess"):
        url = f"amqp://{account}@127.0.0.1:{house.port}/%2F"
        with pytest.raises(ProbableAuthenticationError):
            pika.BlockingConnection(pika.URLParameters(url))
    users = {each["name"] for each in house.api("GET", "/api/users")}
    assert users == {*ACCOUNTS, house.user}


@pytest.mark.promise("sec M1")
def test_the_account_of_an_earlier_version_is_closed(
    house: HouseRabbit, checkout: Checkout
) -> None:
    everything = {"configure": ".*", "write": ".*", "read": ".*"}
    house.api("PUT", "/api/users/snapbus", {"password": "old", "tags": "administrator"})
    house.api("PUT", "/api/permissions/%2F/snapbus", everything)
    old = f"amqp://snapbus:old@127.0.0.1:{house.port}/%2F"
    pika.BlockingConnection(pika.URLParameters(old)).close()
    (checkout.folder / "secrets/rabbitmq_user.conf").write_text("default_user = snapbus\n")

    checkout.configure()
    house.write_definitions()
    house.restart()

    for password in ("old", ""):
        with pytest.raises(ProbableAuthenticationError):
            pika.BlockingConnection(pika.URLParameters(old.replace("old", password)))
    rights = house.api("GET", "/api/permissions/%2F/snapbus")
    assert {rights[each] for each in everything} == {"^$"}
    house.api("DELETE", "/api/users/snapbus")
    (checkout.folder / "secrets/rabbitmq_user.conf").unlink()


@pytest.mark.promise("sec M1", "feat D2")
def test_guests_speak_by_the_two_old_exchanges(house: HouseRabbit) -> None:
    """With two programs that know nothing but the old ways, and from another machine."""
    assert "loopback_users = none" in (house.root / "rabbitmq.conf").read_text()
    with closing(Peer(house.url_of(GUEST))) as one, closing(Peer(house.url_of(GUEST))) as other:
        one.put_event("event.notify.snapshot.x", b"seen")
        assert other.wait_for("event.notify.snapshot.x").raw == b"seen"

        def bounded() -> bool:
            queue = house.api("GET", f"/api/queues/%2F/{one.queue}")
            return bool(queue.get("effective_policy_definition") == GUESTS_QUEUES)

        eventually(bounded, message="their queues are bounded")


@pytest.mark.promise("sec M1")
def test_without_an_existing_system_nobody_is_a_guest(
    house: HouseRabbit, checkout: Checkout
) -> None:
    """The last test of this file, as it shuts the guests out for good."""
    env = checkout.folder / ".env"
    env.write_text(env.read_text().replace("COMPOSE_PROFILES=legacy", "COMPOSE_PROFILES="))
    checkout.configure()
    house.write_definitions()
    house.restart()

    for password in ("guest", ""):
        with pytest.raises(ProbableAuthenticationError):
            pika.BlockingConnection(
                pika.URLParameters(f"amqp://guest:{password}@127.0.0.1:{house.port}/%2F")
            )
    rights = house.api("GET", f"/api/permissions/%2F/{GUEST}")
    assert {rights[each] for each in ("configure", "write", "read")} == {"^$"}

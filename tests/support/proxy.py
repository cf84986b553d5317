"""A TCP link that can be slowed, cut, frozen or reset: what stands between two processes in tests.

A thread of its own runs an asyncio loop; all methods may be called from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Coroutine
from typing import Any

CHUNK = 64 * 1024


class Proxy:
    """Forwards a free port of the loopback to ``host:port``. Faults hold for all connections."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self._target = (host, port)
        self._latency_s = 0.0
        self._bytes_per_s = 0.0
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._refusing = False
        self._fatal, self._delivered = b"", False
        self._condemned: set[asyncio.StreamWriter] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._thread.start()
        self._server = self._call(self._listen())
        self.port: int = self._server.sockets[0].getsockname()[1]

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", 0)

    def _call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._refusing:
            self._reset(writer)
            return
        try:
            other_reader, other_writer = await asyncio.open_connection(*self._target)
        except OSError:
            self._reset(writer)
            return
        self._writers |= {writer, other_writer}
        await asyncio.gather(
            self._pump(reader, other_writer, answers=writer), self._pump(other_reader, writer)
        )
        self._writers -= {writer, other_writer}
        self._condemned.discard(writer)

    def _breaks(
        self, data: bytes, writer: asyncio.StreamWriter, answers: asyncio.StreamWriter | None
    ) -> bool:
        """Whether a chunk is not to be let through, because ``break_at`` was for it."""
        if writer in self._condemned:
            return True
        if answers is None or not self._fatal or self._fatal not in data:
            return False
        self._fatal = b""
        self._condemned.add(answers)
        return not self._delivered

    async def _pump(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answers: asyncio.StreamWriter | None = None,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(CHUNK):
                if self._breaks(data, writer, answers):
                    self._reset(answers or writer)
                    break
                await self._flowing.wait()
                if self._latency_s:
                    await asyncio.sleep(self._latency_s)
                if self._bytes_per_s:
                    await asyncio.sleep(len(data) / self._bytes_per_s)
                writer.write(data)
                await writer.drain()
        with contextlib.suppress(OSError, RuntimeError):
            writer.close()

    def _reset(self, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    def slow(self, *, latency_s: float = 0.0, bytes_per_s: float = 0.0) -> None:
        """Delay every chunk, and let through only so many bytes a second."""
        self._latency_s, self._bytes_per_s = latency_s, bytes_per_s

    def freeze(self) -> None:
        """Keep connections open and let nothing through: packets dropped, or a hung peer."""
        self._loop.call_soon_threadsafe(self._flowing.clear)

    def reset_all(self) -> None:
        """Reset every open connection; new ones are served."""

        async def reset() -> None:
            for writer in list(self._writers):
                self._reset(writer)

        self._call(reset())

    def break_at(self, words: bytes, *, delivered: bool) -> None:
        """Reset the connection at the next request that holds these words: before the target hears
        of it, or in place of the target's answer."""
        self._delivered = delivered
        self._fatal = words

    def cut(self) -> None:
        """Reset every connection and every new one, until healed."""
        self._refusing = True
        self.reset_all()

    def heal(self) -> None:
        """End all faults; what was frozen flows on."""
        self._refusing = False
        self.slow()
        self._loop.call_soon_threadsafe(self._flowing.set)

    def close(self) -> None:
        """Cut everything and end the thread."""
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence

import httpx2

from ._cache import Cache
from ._credentials import bearer
from ._introspection import BROKEN, MAX_BODY, NoAnswer, client_options, form, read, unavailable
from ._principal import Principal
from ._question import Question
from ._refusal import Refusal
from ._settings import Settings, canonical

_Answer = asyncio.Future[Principal | Refusal]


class AsyncTokenwright:
    """Tokenwright, as a service with asyncio sees it. Make one for the whole process: connections are kept in it.

    `url` is that of Tokenwright, such as ``http://127.0.0.1:8080``, and `token` the secret of this service's own token,
    which needs the permission ``api.api-tokens.read``. An answer is waited for `timeout` seconds; then the request is
    refused with 503.

    `cache_seconds` remembers for so long that a token is active, 10 seconds at most. **For so long, a token that was
    deleted, disabled or narrowed goes on to work here.** Unless told, every request is asked about, and a change takes
    effect on the next one.
    """

    def __init__(
        self,
        url: str,
        token: str,
        *,
        timeout: float = 2,
        cache_seconds: float = 0,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._settings = Settings.read(url, token, timeout, cache_seconds, ssl_context)
        self._cache = Cache(cache_seconds)
        self._connected: _Connected | None = None

    async def authenticate(self, authorization: Sequence[str], client_address: str | None) -> Principal:
        """Who asks, from all ``Authorization`` headers of a request and the address of its client.

        The address is ``None`` when it is unknown, and then a token that is bound to addresses does not pass. Raises a
        `Refusal` where the request must not pass.
        """
        secret = bearer(authorization)
        address = canonical(client_address)
        question = Question.of(secret, address)
        if remembered := self._cache.get(question):
            return remembered
        asked = time.monotonic()
        answered = self._connection().flights.join(question, lambda: self._ask(secret, address))
        try:
            # Who waits for a question of others before its own does not wait longer.
            answer = await asyncio.wait_for(asyncio.shield(answered), self._settings.timeout)
        except TimeoutError as error:
            raise unavailable(error) from None
        if isinstance(answer, Refusal):
            # A new one: an exception that several raise collects their tracebacks.
            raise Refusal(answer.error, scope=answer.scope, retry_after=answer.retry_after)
        self._cache.put(question, asked, answer)
        return answer

    async def aclose(self) -> None:
        """Closes the connections that are kept."""
        if self._connected is not None:
            connected, self._connected = self._connected, None
            await connected.client.aclose()

    def _connection(self) -> "_Connected":
        """Connections belong to an event loop."""
        loop = asyncio.get_running_loop()
        if self._connected is None or self._connected.loop is not loop:
            self._connected = _Connected(loop, httpx2.AsyncClient(**client_options(self._settings)))
        return self._connected

    async def _ask(self, secret: str, address: str | None) -> Principal | Refusal:
        try:
            async with asyncio.timeout(self._settings.timeout):
                try:
                    return await self._ask_once(secret, address)
                except BROKEN:
                    return await self._ask_once(secret, address)
        except (NoAnswer, TimeoutError, httpx2.HTTPError) as error:
            return unavailable(error)

    async def _ask_once(self, secret: str, address: str | None) -> Principal | Refusal:
        client = self._connection().client
        async with client.stream("POST", self._settings.endpoint, data=form(secret, address)) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > MAX_BODY:
                    raise NoAnswer(f"the body is larger than {MAX_BODY} bytes")
            return read(response.status_code, response.headers, bytes(body))


class _Connected:
    def __init__(self, loop: asyncio.AbstractEventLoop, client: httpx2.AsyncClient) -> None:
        self.loop = loop
        self.client = client
        self.flights = _Flights()


class _Flights:
    """At most one question about a token is on its way at a time.

    Who asks while one is on its way does not get its answer: that may have been found before a change that the asker
    already knows of. All who ask meanwhile share the next one.
    """

    def __init__(self) -> None:
        # The questions that are on their way, each with the answer of the next one, if somebody waits for it.
        self._running: dict[Question, _Answer | None] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def join(self, question: Question, ask: Callable[[], Awaitable[Principal | Refusal]]) -> _Answer:
        """The answer to a question that is asked after this call."""
        loop = asyncio.get_running_loop()
        if question in self._running:
            answer = self._running[question]
            if answer is None:
                answer = self._running[question] = loop.create_future()
            return answer
        self._running[question] = None
        answer = loop.create_future()
        task = loop.create_task(self._run(question, ask, answer))
        # The loop itself keeps no task alive.
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return answer

    async def _run(
        self, question: Question, ask: Callable[[], Awaitable[Principal | Refusal]], answer: _Answer | None
    ) -> None:
        try:
            while answer is not None:
                answer.set_result(await ask())
                answer, self._running[question] = self._running[question], None
        finally:
            waiting = self._running.pop(question, None)
            for left in (answer, waiting):
                if left is not None and not left.done():
                    left.set_result(Refusal("unavailable"))

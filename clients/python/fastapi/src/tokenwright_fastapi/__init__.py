"""API tokens of Tokenwright for FastAPI."""

from fastapi import HTTPException, Request
from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from tokenwright_client import MAX_CACHE_SECONDS, AsyncTokenwright, Principal, Refusal

__version__ = "0.1.0"
__all__ = ["MAX_CACHE_SECONDS", "AsyncTokenwright", "Principal", "Refusal", "TokenwrightBearer"]


class TokenwrightBearer(SecurityBase):
    """A dependency that is the `Principal` of a request with a valid token that has all the scopes::

        tokenwright = TokenwrightBearer(AsyncTokenwright(URL, TOKEN))

        @app.get("/orders")
        async def orders(caller: Annotated[Principal, Security(tokenwright, scopes=["shop.orders.read"])]): ...

    Scopes are permissions, and those of dependencies around it count as well. Without any, every valid token passes.
    The address of the client is ``request.client``, so the server decides which proxies are believed, uvicorn by
    ``--forwarded-allow-ips``.
    """

    def __init__(self, client: AsyncTokenwright, *, scheme_name: str = "Tokenwright") -> None:
        self.client = client
        self.model = HTTPBearer(description="The secret of an API token.", bearerFormat="twr_...")
        self.scheme_name = scheme_name

    async def __call__(self, request: Request, security_scopes: SecurityScopes) -> Principal:
        try:
            principal = await self._principal(request)
            principal.require(*security_scopes.scopes)
        except Refusal as refusal:
            raise HTTPException(refusal.status, refusal.message, refusal.headers) from None
        return principal

    async def _principal(self, request: Request) -> Principal:
        """Asks once per request, however many dependencies ask."""
        known: dict[TokenwrightBearer, Principal] = request.scope.setdefault("tokenwright", {})
        if self not in known:
            address = request.client.host if request.client else None
            known[self] = await self.client.authenticate(request.headers.getlist("authorization"), address)
        return known[self]

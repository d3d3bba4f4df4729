"""An API of orders, protected by Tokenwright. ../README.md says how to run it."""

import os
from typing import Annotated

from fastapi import Depends, FastAPI, Security
from tokenwright_fastapi import AsyncTokenwright, Principal, TokenwrightBearer

tokenwright = TokenwrightBearer(
    AsyncTokenwright(
        os.environ["TOKENWRIGHT_URL"],
        os.environ["TOKENWRIGHT_TOKEN"],
        cache_seconds=float(os.environ.get("CACHE_SECONDS") or 0),
    )
)
AnyCaller = Annotated[Principal, Security(tokenwright)]
Reader = Annotated[Principal, Security(tokenwright, scopes=["shop.orders.read"])]
Writer = Annotated[Principal, Security(tokenwright, scopes=["shop.orders.write"])]
app = FastAPI()


def described(caller: Principal) -> dict[str, object]:
    return {
        "userId": caller.user_id,
        "userName": caller.user_name,
        "tokenId": caller.token_id,
        "permissions": sorted(caller.permissions),
        "labels": dict(caller.labels),
    }


@app.get("/")
async def index() -> str:
    return "Everybody may read this."


@app.get("/caller")
async def caller(caller: AnyCaller) -> dict[str, object]:
    return described(caller)


@app.get("/orders")
async def orders(caller: Reader) -> dict[str, object]:
    return described(caller)


@app.post("/orders", status_code=201)
async def place(caller: Writer) -> dict[str, object]:
    return described(caller)


# Scopes of dependencies add up. However many of them ask about a request, Tokenwright is asked once.
def exporter(caller: Annotated[Principal, Security(tokenwright, scopes=["shop.orders.export"])]) -> Principal:
    return caller


@app.get("/orders/export", dependencies=[Depends(tokenwright)])
async def export(caller: Annotated[Principal, Security(exporter, scopes=["shop.orders.read"])]) -> dict[str, object]:
    return described(caller)

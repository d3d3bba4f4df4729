from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.settings import api_settings
from tokenwright_client import Principal, Refusal

from .client import tokenwright
from .refusals import TokenRefused


class TokenUser:
    """The token's own user, for ``request.user``. It is not in Django's database and has none of its permissions."""

    is_active = True
    is_anonymous = False
    is_authenticated = True
    is_staff = False
    is_superuser = False

    def __init__(self, principal: Principal) -> None:
        #: The id of the user, ``usr_...``.
        self.pk = self.id = principal.user_id
        #: The name of the token.
        self.username = principal.user_name

    def __str__(self) -> str:
        return self.username

    def get_username(self) -> str:
        """The name of the token."""
        return self.username

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TokenUser) and other.pk == self.pk

    def __hash__(self) -> int:
        return hash(self.pk)


class TokenwrightAuthentication(BaseAuthentication):
    """Authenticates by an API token of Tokenwright: ``request.user`` is a `TokenUser`, ``request.auth`` a `Principal`.

    A request without a bearer token is left to other classes. Whatever else goes wrong is answered: 401 where the token
    is not valid, 503 where Tokenwright gave no answer.
    """

    def authenticate(self, request: Request) -> tuple[TokenUser, Principal] | None:
        """Who asks."""
        line = request.META.get("HTTP_AUTHORIZATION")
        try:
            principal = tokenwright().authenticate([] if line is None else [line], self.client_address(request))
        except Refusal as refusal:
            if refusal.error == "token_missing":
                return None
            raise TokenRefused(refusal) from None
        return TokenUser(principal), principal

    def authenticate_header(self, request: Request) -> str:
        """The challenge where no token came."""
        return "Bearer"

    def client_address(self, request: Request) -> str | None:
        """The address of the client.

        ``REMOTE_ADDR``, which a server such as uvicorn sets from the headers of proxies that it trusts; or, where
        ``NUM_PROXIES`` of the framework is set, what the outermost of so many proxies wrote into ``X-Forwarded-For``.
        Then no client may reach the server other than through them.
        """
        proxies = api_settings.NUM_PROXIES
        forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
        if not proxies or not forwarded:
            return request.META.get("REMOTE_ADDR")
        addresses = forwarded.split(",")
        return addresses[-min(proxies, len(addresses))].strip()

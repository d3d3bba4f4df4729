"""An API of orders, protected by Tokenwright. ../README.md says how to run it.

A whole project in one file; in yours, the settings and the views have files of their own.
"""

import os

from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    INSTALLED_APPS=["rest_framework"],
    ROOT_URLCONF=__name__,
    SECRET_KEY="nothing is signed here",
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["tokenwright_django.TokenwrightAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["tokenwright_django.HasPermissions"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
        "NUM_PROXIES": int(os.environ.get("NUM_PROXIES") or 0),
        "UNAUTHENTICATED_USER": None,
    },
    TOKENWRIGHT={
        "URL": os.environ["TOKENWRIGHT_URL"],
        "TOKEN": os.environ["TOKENWRIGHT_TOKEN"],
        "CACHE_SECONDS": float(os.environ.get("CACHE_SECONDS") or 0),
    },
)

from django.core.asgi import get_asgi_application  # noqa: E402

application = get_asgi_application()

from django.http import HttpRequest, HttpResponse  # noqa: E402
from django.urls import path  # noqa: E402
from rest_framework.request import Request  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework.views import APIView  # noqa: E402


def index(request: HttpRequest) -> HttpResponse:
    return HttpResponse("Everybody may read this.\n", content_type="text/plain")


def described(request: Request) -> dict[str, object]:
    caller = request.auth
    return {
        "userId": request.user.id,
        "userName": request.user.username,
        "tokenId": caller.token_id,
        "permissions": sorted(caller.permissions),
        "labels": dict(caller.labels),
    }


class Caller(APIView):
    required_permissions = []  # any valid token

    def get(self, request: Request) -> Response:
        return Response(described(request))


class Orders(APIView):
    required_permissions = {"GET": ["shop.orders.read"], "POST": ["shop.orders.write"]}

    def get(self, request: Request) -> Response:
        return Response(described(request))

    def post(self, request: Request) -> Response:
        return Response(described(request), status=201)


class Export(APIView):
    required_permissions = ["shop.orders.read", "shop.orders.export"]

    def get(self, request: Request) -> Response:
        return Response(described(request))


urlpatterns = [
    path("", index),
    path("caller", Caller.as_view()),
    path("orders", Orders.as_view()),
    path("orders/export", Export.as_view()),
]

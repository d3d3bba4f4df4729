"""API tokens of Tokenwright for Django REST framework::

    REST_FRAMEWORK = {
        "DEFAULT_AUTHENTICATION_CLASSES": ["tokenwright_django.TokenwrightAuthentication"],
        "DEFAULT_PERMISSION_CLASSES": ["tokenwright_django.HasPermissions"],
    }
    TOKENWRIGHT = {"URL": "http://127.0.0.1:8080", "TOKEN": os.environ["TOKEN"]}

    class Orders(APIView):
        required_permissions = ["shop.orders.read"]

`TOKENWRIGHT` also has ``TIMEOUT`` and ``CACHE_SECONDS``, which are explained at `tokenwright_client.Tokenwright`.
"""

from tokenwright_client import Principal

from .authentication import TokenUser, TokenwrightAuthentication
from .permissions import HasPermissions

__version__ = "0.1.0"
__all__ = ["HasPermissions", "Principal", "TokenUser", "TokenwrightAuthentication"]

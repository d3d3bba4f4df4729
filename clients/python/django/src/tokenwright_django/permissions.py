from collections.abc import Mapping
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from tokenwright_client import Principal, Refusal

from .refusals import TokenRefused

if TYPE_CHECKING:
    # It imports the classes that the settings name, this one among them.
    from rest_framework.views import APIView


class HasPermissions(BasePermission):
    """Lets a request pass whose token has all of the view's ``required_permissions``.

    They are a list of codes such as ``shop.orders.read``, or a list for each method: ``{"GET": [...], "POST": [...]}``;
    a method that is not there is refused. With an empty list every valid token passes; a view without the attribute is
    an error. A missing permission is answered at once with ``insufficient_scope``, so ``|`` with another permission
    class does not help such a token.
    """

    def has_permission(self, request: Request, view: "APIView") -> bool:
        """May this request pass?"""
        if not isinstance(request.auth, Principal):
            return False
        needed = getattr(view, "required_permissions", None)
        if isinstance(needed, Mapping):
            needed = needed.get("GET" if request.method == "HEAD" else request.method)
            if needed is None:
                return False
        if needed is None or isinstance(needed, str):
            raise ImproperlyConfigured(f"{type(view).__name__}.required_permissions must be a list of permissions")
        try:
            request.auth.require(*needed)
        except Refusal as refusal:
            raise TokenRefused(refusal) from None
        return True

"""The one web entry point: alerts go in by a door of their own, HTTP to Django's WSGI handler, websockets to Channels.

HTTP runs through a2wsgi because Django's own ASGI handler serves about a fifth of the requests on the same cores.
"""

import os
from typing import Any, cast

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

from config.serving import refuse_without_secret, settle

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
refuse_without_secret()
http_application = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=int(os.environ.get("WEB_THREADS", "16")))

from channels.auth import AuthMiddlewareStack  # noqa: E402  (needs the app registry)
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from channels.security.websocket import AllowedHostsOriginValidator  # noqa: E402

from config.door import Door  # noqa: E402
from config.sockets import websocket_urlpatterns  # noqa: E402

application = ProtocolTypeRouter(
    {
        "http": Door(http_application),
        "websocket": AllowedHostsOriginValidator(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
settle()

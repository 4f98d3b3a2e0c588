"""The WSGI entry point, for servers that speak HTTP only (websockets then need a second server)."""

import os

from django.core.wsgi import get_wsgi_application

from config.serving import refuse_without_secret

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
refuse_without_secret()
application = get_wsgi_application()

"""djoser with Simple JWT, as its documentation sets it up, on Django's own user model."""

import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "shared"))

import django_site
import serving

django_site.configure(
    urls=__name__,
    apps=["rest_framework", "rest_framework_simplejwt.token_blacklist", "djoser"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTAuthentication"
        ]
    },
    SIMPLE_JWT={
        "AUTH_HEADER_TYPES": ("JWT",),
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=serving.access_life()),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)

from django.urls import include, path
from rest_framework_simplejwt.views import TokenBlacklistView

urlpatterns = [
    path("auth/", include("djoser.urls")),
    path("auth/", include("djoser.urls.jwt")),
    # djoser has no sign-out for JWTs; this view is Simple JWT's own.
    path("auth/jwt/blacklist/", TokenBlacklistView.as_view()),
]

if __name__ == "__main__":
    django_site.serve()

"""dj-rest-auth with its registration and with JWTs in bodies, on Django's own user model."""

import sys
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "shared"))

import django_site
import serving

django_site.configure(
    urls=__name__,
    apps=[
        "django.contrib.sites",
        "rest_framework",
        "rest_framework.authtoken",
        "rest_framework_simplejwt.token_blacklist",
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "dj_rest_auth",
        "dj_rest_auth.registration",
    ],
    SITE_ID=1,
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ],
    # People sign in with their user name, which is allauth's default.
    ACCOUNT_EMAIL_VERIFICATION="none",
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": ["dj_rest_auth.jwt_auth.JWTCookieAuthentication"]
    },
    REST_AUTH={"USE_JWT": True, "JWT_AUTH_HTTPONLY": False},
    SIMPLE_JWT={
        "ACCESS_TOKEN_LIFETIME": timedelta(seconds=serving.access_life()),
        "ROTATE_REFRESH_TOKENS": True,
        "BLACKLIST_AFTER_ROTATION": True,
    },
)

from django.urls import include, path

urlpatterns = [
    path("auth/", include("dj_rest_auth.urls")),
    path("auth/registration/", include("dj_rest_auth.registration.urls")),
]

if __name__ == "__main__":
    django_site.serve()

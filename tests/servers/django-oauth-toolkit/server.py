"""django-oauth-toolkit as its tutorial sets it up, with two public clients: one for the password grant,
one for its pages. With CLAIMS=1 it tells name and address of who signs in, as its documentation
proposes; without, an id alone."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "shared"))

import django_site
import serving

CLIENT_ID = "vestibule-desktop"
BROWSER_CLIENT_ID = f"{CLIENT_ID}-browser"
KEY = serving.data_folder() / "oidc.pem"


def key():
    """The key that signs ID tokens, which the user's claims need."""
    from jwcrypto import jwk

    if not KEY.exists():
        made = jwk.JWK.generate(kty="RSA", size=2048)
        KEY.write_bytes(made.export_to_pem(private_key=True, password=None))
    return KEY.read_text()


django_site.configure(
    urls=__name__,
    apps=["oauth2_provider"],
    OAUTH2_PROVIDER={
        "ACCESS_TOKEN_EXPIRE_SECONDS": serving.access_life(),
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": key(),
        "SCOPES": {"openid": "Who is signed in", "email": "The e-mail address"},
        **({"OAUTH2_VALIDATOR_CLASS": f"{__name__}.Validator"} if "CLAIMS" in os.environ else {}),
    },
    **django_site.PAGES,
)

from django.contrib.auth.models import User
from django.contrib.auth.views import LoginView
from django.urls import include, path
from oauth2_provider.models import Application
from oauth2_provider.oauth2_validators import OAuth2Validator
from oauth2_provider.urls import base_urlpatterns, oidc_urlpatterns


class Validator(OAuth2Validator):
    """What it tells of a person besides the id."""

    oidc_claim_scope = None

    def get_additional_claims(self):
        return {
            "name": lambda request: request.user.first_name,
            "email": lambda request: request.user.email,
        }


Application.objects.get_or_create(
    client_id=CLIENT_ID,
    defaults={
        "name": "Vestibule",
        # The ids of users start at one.
        "user": User.objects.first(),
        "client_type": Application.CLIENT_PUBLIC,
        "client_secret": "",
        "authorization_grant_type": Application.GRANT_PASSWORD,
        "algorithm": Application.RS256_ALGORITHM,
    },
)
Application.objects.get_or_create(
    client_id=BROWSER_CLIENT_ID,
    defaults={
        "name": "Vestibule",
        "user": User.objects.first(),
        "client_type": Application.CLIENT_PUBLIC,
        "client_secret": "",
        "authorization_grant_type": Application.GRANT_AUTHORIZATION_CODE,
        # On loopback the port is free (RFC 8252 section 7.3).
        "redirect_uris": "http://127.0.0.1/callback",
        "algorithm": Application.RS256_ALGORITHM,
    },
)

urlpatterns = [
    path("accounts/login/", LoginView.as_view()),
    path("o/", include((base_urlpatterns + oidc_urlpatterns, "oauth2_provider"))),
]

if __name__ == "__main__":
    django_site.serve()

"""django-oauth-toolkit with the password grant and a public client, as its tutorial sets it up."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "shared"))

import django_site
import serving

CLIENT_ID = "vestibule-desktop"
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
    },
)

from django.contrib.auth.models import User
from django.urls import include, path
from oauth2_provider.models import Application
from oauth2_provider.urls import base_urlpatterns, oidc_urlpatterns

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

urlpatterns = [
    path("o/", include((base_urlpatterns + oidc_urlpatterns, "oauth2_provider"))),
]

if __name__ == "__main__":
    django_site.serve()

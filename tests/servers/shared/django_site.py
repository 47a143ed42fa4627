"""A Django site of one file: SQLite, Django's own user model and password rules, one account."""

import django
from django.conf import settings
from django.core.management import call_command
from django.core.servers.basehttp import ThreadedWSGIServer, WSGIRequestHandler
from django.core.wsgi import get_wsgi_application
from django.utils.functional import empty

import serving

RULES = "django.contrib.auth.password_validation"


# Who signs in on a page has a session with the browser, and forms that no other site can send.
PAGES = {
    "LOGIN_URL": "/accounts/login/",
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {
                "context_processors": ["django.template.context_processors.request"],
                "loaders": [
                    (
                        "django.template.loaders.locmem.Loader",
                        {
                            "registration/login.html": """
<!doctype html><title>Sign in</title>
<form method="post">{% csrf_token %}{{ form.errors }}
<input type="hidden" name="next" value="{{ next }}">
<input name="username"><input name="password" type="password">
<button type="submit">Sign in</button></form>"""
                        },
                    ),
                    "django.template.loaders.app_directories.Loader",
                ],
            },
        }
    ],
}


def configure(urls, apps, **more):
    """Sets Django up with these apps, and makes the database and the account."""
    assert settings._wrapped is empty, "configured once"
    settings.configure(
        DEBUG=False,
        SECRET_KEY=serving.SECRET,
        ALLOWED_HOSTS=["127.0.0.1", "localhost"],
        ROOT_URLCONF=urls,
        USE_TZ=True,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.sqlite3",
                "NAME": serving.data_folder() / "site.db",
            }
        },
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.sessions",
            *apps,
        ],
        # The rules that `django-admin startproject` writes.
        AUTH_PASSWORD_VALIDATORS=[
            {"NAME": f"{RULES}.UserAttributeSimilarityValidator"},
            {"NAME": f"{RULES}.MinimumLengthValidator"},
            {"NAME": f"{RULES}.CommonPasswordValidator"},
            {"NAME": f"{RULES}.NumericPasswordValidator"},
        ],
        EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
        **more,
    )
    django.setup()
    call_command("migrate", verbosity=0)
    from django.contrib.auth.models import User

    if not User.objects.exists():
        User.objects.create_user(
            # People sign in with their address: it is the user name too.
            username=serving.EMAIL,
            email=serving.EMAIL,
            password=serving.PASSWORD,
            first_name="Ann",
        )


def serve():
    """Serves the site until standard input ends."""
    server = ThreadedWSGIServer(("127.0.0.1", serving.PORT), WSGIRequestHandler)
    server.set_app(get_wsgi_application())
    serving.announce(server.server_port)
    serving.until_input_ends(server.shutdown)
    server.serve_forever()

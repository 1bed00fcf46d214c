"""The one settings file. Every default works with no environment; README.md has a table of what can be set.

*Production* means that DATABASE_URL is set and `make run` or `make test` did not set it. Then `csms.checks` stops the start
with a sentence for each setting that is missing or unsafe.
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

from csms import logs

BASE_DIR = Path(__file__).resolve().parent.parent


class Environment(environ.FileAwareEnv):
    """The environment, and with `NAME_FILE` the files it names. A file's last newline is no part of its value."""

    def get_value(self, *args: Any, **kwargs: Any) -> Any:
        value = super().get_value(*args, **kwargs)
        if isinstance(value, list):
            return [item.strip() if isinstance(item, str) else item for item in value]
        return value.strip() if isinstance(value, str) else value


env = Environment()

#: Set by `make run` ("run") and `make test` ("test") alone; their databases are never production.
MODE = env.str("CSMS_MODE", default="")
PRODUCTION = bool(env.str("DATABASE_URL", default="")) and not MODE
ALLOW_INSECURE = env.bool("CSMS_ALLOW_INSECURE", default=False)

# What `make run` or `make services` started, for a `manage.py` without DATABASE_URL.
_local: dict[str, str] = {}
_local_file = BASE_DIR / ".services" / "urls.json"
if not PRODUCTION and _local_file.is_file():
    _local = json.loads(_local_file.read_text())

SECRET_KEY = env.str("SECRET_KEY", default="") or _local.get("SECRET_KEY", "") or "unsafe-without-a-secret-key-" + "0" * 32
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

#: Password hashes of stations: [(key id, key)], newest first (CSMS_STATION_SECRET_KEYS=id:key,id:key).
STATION_SECRET_KEYS = [
    tuple(item.split(":", 1))
    for item in env.list("CSMS_STATION_SECRET_KEYS", default=[_local.get("STATION_SECRET_KEY", "") or f"local:{SECRET_KEY}"])
]
#: Name of the operator for whom unknown stations are registered and accepted. For trials and load tests.
ACCEPT_UNKNOWN = env.str("CSMS_ACCEPT_UNKNOWN", default="")
#: Addresses or networks that may speak for a client's address and scheme.
TRUSTED_PROXIES = env.list("CSMS_TRUSTED_PROXIES", default=[])
#: Whether stations may come back, and be led, to a lower security profile than they have come by (OCPP 2.0.1 A05).
ALLOW_SECURITY_DOWNGRADE = env.bool("CSMS_ALLOW_SECURITY_DOWNGRADE", default=False)
#: The address at which people and their apps find us, and that at which stations fetch and send files, if it is another.
PUBLIC_URL = (env.str("CSMS_PUBLIC_URL", default="") or f"http://127.0.0.1:{os.environ.get('PORT') or 8000}").rstrip("/")
STATION_FILES_URL = env.str("CSMS_STATION_FILES_URL", default="").rstrip("/") or PUBLIC_URL
#: The folder of firmware images and logs; all web processes and workers share it.
FILES_DIR = env.str("CSMS_FILES_DIR", default="") or str(BASE_DIR / ".services" / "files")
#: A firmware image may not be larger.
MAX_FIRMWARE_BYTES = env.int("CSMS_MAX_FIRMWARE_BYTES", default=60 * 1024 * 1024)
#: A station's log may not be larger.
MAX_LOG_BYTES = env.int("CSMS_MAX_LOG_BYTES", default=512 * 1024 * 1024)
MAX_FRAME_BYTES = 1024 * 1024
PING_INTERVAL_S = env.int("CSMS_PING_INTERVAL", default=50)
CALL_TIMEOUT_S = env.int("CSMS_CALL_TIMEOUT", default=30)
#: Who may read /metrics and the causes in /readyz: addresses or networks, and whoever shows the token.
METRICS_FROM = env.list("CSMS_METRICS_FROM", default=[] if PRODUCTION else ["127.0.0.0/8", "::1"])
METRICS_TOKEN = env.str("CSMS_METRICS_TOKEN", default="")
#: Seconds after which a worker or a beat that gave no sign of life is held to be gone. A sign is due three times in it.
SILENT_AFTER_S = env.int("CSMS_SILENT_AFTER", default=180)
#: Requests a minute that one key or login may make of the API; 0 is no bound.
API_RATE = env.int("CSMS_API_RATE", default=600)
#: Whether webhooks may lead to this machine and to private networks. For trials, and for those who have one network only.
WEBHOOK_PRIVATE = env.bool("CSMS_WEBHOOK_PRIVATE", default=not PRODUCTION)
#: Days for which what was told to webhooks is kept.
KEEP_WEBHOOKS_DAYS = env.int("CSMS_KEEP_WEBHOOKS_DAYS", default=30)
#: Whole months for which rows are kept beside the one that runs; operators may have shorter terms.
KEEP_MONTHS = {
    "messages": env.int("CSMS_KEEP_MESSAGES_MONTHS", default=6),
    "samples": env.int("CSMS_KEEP_SAMPLES_MONTHS", default=24),
    "status": env.int("CSMS_KEEP_STATUS_MONTHS", default=24),
    "connections": env.int("CSMS_KEEP_CONNECTIONS_MONTHS", default=24),
    "quarters": env.int("CSMS_KEEP_QUARTERS_MONTHS", default=60),
    "certificates": env.int("CSMS_KEEP_CERTIFICATES_MONTHS", default=24),
}
#: Days for which stations' logs are kept; operators may have a shorter term.
KEEP_LOGS_DAYS = env.int("CSMS_KEEP_LOGS_DAYS", default=90)
#: Days for which files of a month's receipts are kept once they are made; they can be made anew.
KEEP_RECEIPT_FILES_DAYS = env.int("CSMS_KEEP_RECEIPT_FILES_DAYS", default=14)

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_scopes",
    "django_filters",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "accounts",
    "stations",
    "billing",
    "csms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.headless",
]

MIDDLEWARE = [
    "csms.probes.Probes",
    "csms.proxies.BelieveTrustedProxies",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "csms.languages.ChosenLanguage",
    "csms.tenancy.ScopeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "csms.urls"
ASGI_APPLICATION = "csms.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]

DATABASE_URL = env.str("DATABASE_URL", default="") or _local.get("DATABASE_URL", "postgres://csms@127.0.0.1:5432/csms")
#: PostgreSQL ends a transaction of ours in which nothing was said for so long.
SILENT_S = 10
DATABASES = {"default": env.db_url_config(DATABASE_URL)}
DATABASES["default"].update(
    CONN_MAX_AGE=0,
    # A pooled connection is asked whether it lives, so that a restart of PostgreSQL costs no page an error.
    CONN_HEALTH_CHECKS=True,
    ATOMIC_REQUESTS=False,
    # Persistent connections leak under ASGI, where threads die holding them: a pool instead.
    OPTIONS={
        "pool": {
            "min_size": 0,
            "max_size": env.int("CSMS_DB_POOL", default=20),
            "timeout": 10,
            "max_idle": 120,
            # Its attempts come at ever longer intervals, up to minutes: who needs a connection then begins a new one.
            "reconnect_timeout": 3,
        },
        "application_name": "csms",
        # A process that freezes in the middle of a transaction must not keep the rows of stations locked. Nobody of ours thinks for
        # so long in one: mails, prints and calls to others are made outside.
        "options": f"-c idle_in_transaction_session_timeout={SILENT_S}s",
        # A host that is gone closes nothing: found out within half a minute, instead of a quarter of an hour.
        "connect_timeout": 5,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
    },
)
REDIS_URL = env.str("REDIS_URL", default="") or _local.get("REDIS_URL", "redis://127.0.0.1:6379/0")
CACHES = {
    "default": {
        "BACKEND": "csms.people.cache.Cache",
        "LOCATION": REDIS_URL,
        # Tests that run at once have one Redis, and a database each.
        "KEY_PREFIX": "csms" + (os.environ.get("PYTEST_XDIST_WORKER", "") if MODE == "test" else ""),
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
}

if MODE == "test":
    # Real ones take a tenth of a second each, here and in every process that a test starts.
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_USER_MODEL = "accounts.User"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "wall"
LOGOUT_REDIRECT_URL = "login"

# People log in with django-allauth: `csms.people`. Staff are invited there, so nobody's address needs to be verified again.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
ACCOUNT_ADAPTER = "csms.api.drivers.signup.Adapter"
ACCOUNT_SIGNUP_FORM_CLASS = "csms.api.drivers.signup.SignUp"
ACCOUNT_FORMS = {
    "login": "csms.people.forms.LoginForm",
    "reauthenticate": "csms.people.forms.ReauthenticateForm",
    "reset_password": "csms.people.forms.ResetPasswordForm",
    "reset_password_from_key": "csms.people.forms.NewPasswordForm",
}
MFA_FORMS = {
    "authenticate": "csms.people.forms.CodeForm",
    "reauthenticate": "csms.people.forms.CodeAgainForm",
    "activate_totp": "csms.people.forms.FirstCodeForm",
}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login_failed": "10/300s/key"}
MFA_ADAPTER = "csms.people.secondfactor.Adapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True
# The apps of drivers, with tokens in place of cookies: below /api/v1/auth/app/v1/.
HEADLESS_CLIENTS = ("app",)
HEADLESS_ONLY = False
HEADLESS_TOKEN_STRATEGY = "allauth.headless.tokens.strategies.jwt.JWTTokenStrategy"  # noqa: S105  (the name of a class)
HEADLESS_JWT_ALGORITHM = "HS256"
# A token is worth what its login is: whoever logs out or is switched off is out at once.
HEADLESS_JWT_STATEFUL_VALIDATION_ENABLED = True
HEADLESS_JWT_ACCESS_TOKEN_EXPIRES_IN = 900
# As long as a login that nobody uses; each refresh begins it anew.
HEADLESS_JWT_REFRESH_TOKEN_EXPIRES_IN = 14 * 24 * 3600

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("nl", "Nederlands")]
LOCALE_PATHS = [BASE_DIR / "locale"]
FORMAT_MODULE_PATH = "csms.formats"
# The language of the page to log in; who is logged in has chosen in `User.language`.
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Lax"
TIME_ZONE = env.str("TIME_ZONE", default="UTC")
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles" if PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
# Outside production the static files are served from where they stand, with no step to collect them.
WHITENOISE_USE_FINDERS = not PRODUCTION
WHITENOISE_AUTOREFRESH = DEBUG

# Without a mail server links are shown to those who give them. A console is no mail server: production writes no links there.
EMAIL_URL = env.str("EMAIL_URL", default="")
MAIL = bool(EMAIL_URL)
vars().update(env.email_url_config(EMAIL_URL or ("dummymail://" if PRODUCTION else "consolemail://")))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("CSMS_EMAIL_FROM", default="csms@localhost")

# Security. TLS ends in front of us; who may say so is TRUSTED_PROXIES (see csms.tenancy and csms.ocpp.handshake).
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = PRODUCTION and not ALLOW_INSECURE
SECURE_SSL_REDIRECT = PRODUCTION and not ALLOW_INSECURE
# Stations of security profile 1 speak plain HTTP.
SECURE_REDIRECT_EXEMPT = [r"^ocpp/", r"^files/"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = 31_536_000 if PRODUCTION and not ALLOW_INSECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "connect-src": ["'self'"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "object-src": ["'none'"],
    },
    # The browsable documentation of the API brings an inline script of its own.
    "EXCLUDE_URL_PREFIXES": ["/api/docs/"],
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "csms.api.authentication.ApiKeyAuthentication",
        "csms.api.drivers.tokens.TokenAuthentication",
        "csms.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["csms.api.permissions.MayUse"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["csms.api.parsers.StorableJSONParser"],
    "DEFAULT_THROTTLE_CLASSES": ["csms.api.throttling.PerKey"],
    "DEFAULT_PAGINATION_CLASS": "csms.api.pagination.NewestFirst",
    "DEFAULT_FILTER_BACKENDS": ["csms.api.filters.Backend"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "URL_FORMAT_OVERRIDE": None,
    "EXCEPTION_HANDLER": "csms.api.errors.problem_json",
    "UNAUTHENTICATED_USER": None,
    "DATETIME_FORMAT": "%Y-%m-%dT%H:%M:%S.%fZ",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CSMS API",
    "DESCRIPTION": "Charging stations, transactions, meter samples and id tags. Times are UTC, energy is in Wh, power in W.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "csms.api.schema.every_error",
        "csms.api.drivers.openapi.with_login",
    ],
    "ENUM_NAME_OVERRIDES": {
        "ConnectorStatusEnum": "stations.choices.CONNECTOR_STATUS",
        "TransactionStatusEnum": "stations.choices.TRANSACTION_STATUS",
        "IdTagStatusEnum": "accounts.models.IdTokenStatus",
        "IdTagTypeEnum": "accounts.models.IdTokenType",
        "ReservationStatusEnum": "stations.models.ReservationStatus",
        "NetworkMoveStatusEnum": "stations.models.MoveStatus",
        "CommandKindEnum": "stations.choices.COMMAND_KINDS",
        "ReportStatusEnum": "stations.models.ReportStatus",
        "ChargeRecordKindEnum": "billing.models.RecordKind",
        "CommandStatusEnum": "stations.models.CommandStatus",
        "FirmwareUpdateStatusEnum": "stations.models.UpdateStatus",
        "FirmwareUpdateFailureEnum": "stations.models.UpdateFailure",
        "PlugTypeEnum": "stations.services.groupterms.PLUG_TYPES",
    },
}

LOGGING = logs.configuration(production=PRODUCTION, level=env.str("DJANGO_LOG_LEVEL", default="INFO"))
logs.configure()

#: The name of this process in connection rows; unique among those that run at the same time.
NODE = f"{os.uname().nodename}:{os.getpid()}"
DATABASE_HOST = urlsplit(DATABASE_URL).hostname or ""

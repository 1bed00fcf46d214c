"""What stops the start in production: settings that are missing or unsafe, each with a sentence that names it and the remedy.

The web server asks `refuse_unsafe_start`, the worker and the beat are stopped by Celery's signals, and `manage.py` by
Django's system checks. With CSMS_ALLOW_INSECURE=1 each refusal becomes a warning.
"""

import ipaddress
import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from celery.signals import beat_init, celeryd_init
from django.conf import settings
from django.core import checks
from django.http.request import validate_host
from environ import FileAwareEnv
from environ.fileaware_mapping import FileAwareMapping

logger = logging.getLogger(__name__)

#: A hundred years: who wants to keep rows for good.
LONGEST_MONTHS = 1200
SECRET_LENGTH, KEY_LENGTH = 50, 32
MAIL_SERVERS = ("smtp", "smtps", "smtp+tls", "smtp+ssl")
MAKE_SECRET = "python3 -c 'import secrets; print(secrets.token_urlsafe(50))'"  # noqa: S105  (a command that makes one)


def unsafe_settings(given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is missing or unsafe in an environment of production, as (what is wrong, what to do)."""
    secret = given.get("SECRET_KEY", "")
    if not secret:
        yield "SECRET_KEY is not set.", f"Set it (or SECRET_KEY_FILE) to the output of: {MAKE_SECRET}"
    elif len(secret) < SECRET_LENGTH or len(set(secret)) < 5 or secret.startswith(("unsafe-", "django-insecure-")):
        yield "SECRET_KEY can be guessed.", f"It needs {SECRET_LENGTH} random characters, such as the output of: {MAKE_SECRET}"

    if urlsplit(given.get("DATABASE_URL", "")).scheme not in ("postgres", "postgresql", "psql", "pgsql"):
        yield "DATABASE_URL names no PostgreSQL.", "Set it to postgres://USER:PASSWORD@HOST:5432/NAME."
    if not given.get("REDIS_URL"):
        yield "REDIS_URL is not set.", "Set it to redis://HOST:6379/0 (rediss:// with TLS)."
    elif urlsplit(given["REDIS_URL"]).scheme not in ("redis", "rediss"):
        yield "REDIS_URL names no Redis.", "Set it to redis://HOST:6379/0 (rediss:// with TLS)."

    hosts = _items(given.get("ALLOWED_HOSTS", ""))
    if not hosts:
        yield "ALLOWED_HOSTS is not set.", "Set it to the names people and stations use, such as csms.example.com,ocpp.example.com."
    elif "*" in hosts:
        yield "ALLOWED_HOSTS allows every name.", "Replace * by the names people and stations use, such as csms.example.com."
    if given.get("DEBUG", "").lower() in FileAwareEnv.BOOLEAN_TRUE_STRINGS:
        yield "DEBUG is on, which shows source and settings to anybody.", "Remove DEBUG from the environment."

    yield from _unsafe_addresses(given, hosts)
    if not given.get("CSMS_FILES_DIR"):
        yield (
            "CSMS_FILES_DIR is not set.",
            "Set it to a folder for firmware images and logs that all web processes and workers can write.",
        )
    elif not given["CSMS_FILES_DIR"].startswith("/"):
        yield f'CSMS_FILES_DIR is "{given["CSMS_FILES_DIR"]}".', "Write the whole path of the folder, from / on."

    yield from _unsafe_station_keys(_items(given.get("CSMS_STATION_SECRET_KEYS", "")), secret)
    if operator := given.get("CSMS_ACCEPT_UNKNOWN"):
        yield (
            f"CSMS_ACCEPT_UNKNOWN lets any station charge for {operator}.",
            "Remove it, and add stations with manage.py station add.",
        )
    if mail := given.get("EMAIL_URL"):
        if urlsplit(mail).scheme not in MAIL_SERVERS:
            yield "EMAIL_URL names no mail server.", "Set it to smtp+tls://USER:PASSWORD@HOST:587, or remove it to send no mail."
        if not given.get("CSMS_EMAIL_FROM"):
            yield "CSMS_EMAIL_FROM is not set.", "Set it to the address that mail comes from, such as csms@example.com."
    yield from _unsafe_networks("CSMS_TRUSTED_PROXIES", "Name the addresses of your proxies only.", given)
    yield from _unsafe_networks("CSMS_METRICS_FROM", "Name the addresses of your Prometheus only.", given)
    token = given.get("CSMS_METRICS_TOKEN", "")
    if token and (len(token) < KEY_LENGTH or len(set(token)) < 5):
        yield "CSMS_METRICS_TOKEN can be guessed.", f"It needs {KEY_LENGTH} random characters, such as the output of: {MAKE_SECRET}"


def impossible_terms(months: Mapping[str, int]) -> Iterator[tuple[str, str]]:
    """What cannot be meant by the terms for which rows are kept, as (what is wrong, what to do)."""
    for kind, term in months.items():
        if not 1 <= term <= LONGEST_MONTHS:
            yield (
                f"CSMS_KEEP_{kind.upper()}_MONTHS is {term}.",
                f"Set it to the number of whole months to keep, from 1 to {LONGEST_MONTHS}.",
            )
    if months["quarters"] < months["samples"]:
        yield (
            f"CSMS_KEEP_QUARTERS_MONTHS ({months['quarters']}) is shorter than CSMS_KEEP_SAMPLES_MONTHS ({months['samples']}).",
            "Quarters of an hour are there to outlive the samples: set the same or more.",
        )


def _unsafe_addresses(given: Mapping[str, str], hosts: list[str]) -> Iterator[tuple[str, str]]:
    example = "Set it to the address people and stations use, such as https://csms.example.com."
    if not given.get("CSMS_PUBLIC_URL"):
        yield "CSMS_PUBLIC_URL is not set.", example
    for name in ("CSMS_PUBLIC_URL", "CSMS_STATION_FILES_URL"):
        try:
            url = urlsplit(given.get(name, ""))
            host = url.hostname or ""
        except ValueError:
            yield f"{name} is no address.", example
            continue
        if not given.get(name):
            continue
        if url.scheme not in ("http", "https") or not host or url.path.strip("/") or url.query or url.fragment or url.username:
            yield f"{name} is no address.", example
        elif name == "CSMS_PUBLIC_URL" and hosts and not validate_host(host, hosts):
            yield f"CSMS_PUBLIC_URL names {host}, which ALLOWED_HOSTS does not.", "Add it there, or write one of its names."


def _unsafe_station_keys(items: list[str], secret: str) -> Iterator[tuple[str, str]]:
    name, remedy = "CSMS_STATION_SECRET_KEYS", f"Write id:key,id:key, newest first; a key is the output of: {MAKE_SECRET}"
    if not items:
        yield f"{name} is not set.", remedy
    pairs = [item.partition(":") for item in items]
    if any(not key_id or not key for key_id, _, key in pairs):
        yield f"{name} has an entry that is not id:key.", remedy
    elif any(len(key) < KEY_LENGTH or len(set(key)) < 5 for _, _, key in pairs):
        yield f"{name} has a key that can be guessed (shorter than {KEY_LENGTH} random characters).", remedy
    elif any(key == secret for _, _, key in pairs):
        yield f"{name} holds SECRET_KEY, so that changing that one would lock every station out.", remedy
    for key_id, count in Counter(key_id for key_id, _, _ in pairs).items():
        if key_id and count > 1:
            yield f'{name} has {count} keys with the id "{key_id}".', "Give each key an id of its own."


def _unsafe_networks(name: str, remedy: str, given: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    for item in _items(given.get(name, "")):
        try:
            network = ipaddress.ip_network(item, strict=False)
        except ValueError:
            yield (
                f'{name} has "{item}", which is no address or network.',
                "Write addresses and networks such as 10.0.0.7,10.1.0.0/16.",
            )
        else:
            if network.prefixlen == 0:
                yield f"{name} trusts everybody ({item}).", remedy


def _items(text: str) -> list[str]:
    return [item.strip() for item in text.split(",") if item.strip()]


@checks.register(checks.Tags.security)
def check_environment(**_: Any) -> list[checks.CheckMessage]:
    """Every `manage.py` command that checks the project stops at an Error."""
    found: list[checks.CheckMessage] = []
    if settings.MODE not in ("", "run", "test"):
        hint = "Only make run and make test set it, to run and test: remove it from the environment."
        found.append(
            checks.Error(f'CSMS_MODE is "{settings.MODE}", and any value switches production off.', hint=hint, id="csms.E001")
        )
    found += [checks.Error(wrong, hint=remedy, id="csms.E003") for wrong, remedy in impossible_terms(settings.KEEP_MONTHS)]
    if settings.PRODUCTION:
        for wrong, remedy in unsafe_settings(FileAwareMapping()):
            message = checks.Warning if settings.ALLOW_INSECURE else checks.Error
            found.append(message(wrong, hint=remedy, id="csms.W002" if settings.ALLOW_INSECURE else "csms.E002"))
    return found


def refuse_unsafe_start(**_: Any) -> None:
    """Ends the process when a setting is missing or unsafe; logs a warning for each where that is allowed."""
    found = check_environment()
    for message in found:
        if not message.is_serious():
            logger.warning("%s %s", message.msg, message.hint)
    refusals = [f"- {message.msg} {message.hint}" for message in found if message.is_serious()]
    if refusals:
        if settings.PRODUCTION:
            refusals.append("DATABASE_URL is set: this is production. For a trial, CSMS_ALLOW_INSECURE=1 makes warnings of these.")
        raise SystemExit("\n".join(("Not started, because of these settings:", *refusals)))


celeryd_init.connect(refuse_unsafe_start)
beat_init.connect(refuse_unsafe_start)

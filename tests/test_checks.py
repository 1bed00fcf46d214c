"""What stops the start in production: each rule by itself, and the doors it stands at as real processes."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from environ.fileaware_mapping import FileAwareMapping

from csms.checks import impossible_terms, unsafe_settings

SAFE = {
    "DATABASE_URL": "postgres://csms:secret@127.0.0.1:1/csms",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SECRET_KEY": "qh3vXw9mZt5RbY7nKc2LpD8sGf4JaE6uTx1WoHiMyBrNzQdVlSgPkCjU",
    "CSMS_STATION_SECRET_KEYS": "2026:Gk5tWq8ZxN3vBm7RyLc2Hd9SpJf4TaEu",
    "ALLOWED_HOSTS": "csms.example.com,ocpp.example.com",
    "CSMS_TRUSTED_PROXIES": "10.0.0.7,10.1.0.0/16,fd00::/8",
    "CSMS_PUBLIC_URL": "https://csms.example.com/",
    "CSMS_STATION_FILES_URL": "http://10.0.0.8:8000",
    "CSMS_FILES_DIR": "/srv/csms",
}


def complaints(**changes: str) -> list[str]:
    return [wrong for wrong, _ in unsafe_settings(SAFE | changes)]


def test_a_safe_environment_is_not_complained_of() -> None:
    assert complaints() == []


def test_mail_goes_to_a_server_or_nowhere() -> None:
    sender = {"CSMS_EMAIL_FROM": "csms@example.com"}
    assert complaints(EMAIL_URL="smtp+tls://csms:secret@mail.example.com:587", **sender) == []
    # What is written to a console or a file is links that let somebody in.
    for url in ("consolemail://", "filemail:///var/mail"):
        assert complaints(EMAIL_URL=url, **sender) == ["EMAIL_URL names no mail server."]


def test_an_empty_environment_is_told_all_that_is_missing() -> None:
    named = [wrong.split()[0] for wrong, _ in unsafe_settings({"DATABASE_URL": SAFE["DATABASE_URL"]})]
    assert named == [
        "SECRET_KEY",
        "REDIS_URL",
        "ALLOWED_HOSTS",
        "CSMS_PUBLIC_URL",
        "CSMS_FILES_DIR",
        "CSMS_STATION_SECRET_KEYS",
    ]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("SECRET_KEY", "short", "SECRET_KEY can be guessed."),
        ("SECRET_KEY", "a" * 60, "SECRET_KEY can be guessed."),
        ("SECRET_KEY", "django-insecure-" + SAFE["SECRET_KEY"], "SECRET_KEY can be guessed."),
        ("DATABASE_URL", "sqlite:///db.sqlite3", "DATABASE_URL names no PostgreSQL."),
        ("REDIS_URL", "", "REDIS_URL is not set."),
        ("REDIS_URL", "memcached://127.0.0.1", "REDIS_URL names no Redis."),
        ("ALLOWED_HOSTS", " , ", "ALLOWED_HOSTS is not set."),
        ("ALLOWED_HOSTS", "csms.example.com,*", "ALLOWED_HOSTS allows every name."),
        ("DEBUG", "True", "DEBUG is on, which shows source and settings to anybody."),
        ("CSMS_ACCEPT_UNKNOWN", "Amber Grid", "CSMS_ACCEPT_UNKNOWN lets any station charge for Amber Grid."),
        ("CSMS_PUBLIC_URL", "csms.example.com", "CSMS_PUBLIC_URL is no address."),
        ("CSMS_PUBLIC_URL", "https://csms.example.com/prefix", "CSMS_PUBLIC_URL is no address."),
        ("CSMS_PUBLIC_URL", "https://[", "CSMS_PUBLIC_URL is no address."),
        ("CSMS_PUBLIC_URL", "https://elsewhere.example", "CSMS_PUBLIC_URL names elsewhere.example, which ALLOWED_HOSTS does not."),
        ("CSMS_STATION_FILES_URL", "ftp://files", "CSMS_STATION_FILES_URL is no address."),
        ("CSMS_FILES_DIR", "", "CSMS_FILES_DIR is not set."),
        ("CSMS_FILES_DIR", "files", 'CSMS_FILES_DIR is "files".'),
        ("CSMS_TRUSTED_PROXIES", "proxy", 'CSMS_TRUSTED_PROXIES has "proxy", which is no address or network.'),
        ("CSMS_TRUSTED_PROXIES", "0.0.0.0/0", "CSMS_TRUSTED_PROXIES trusts everybody (0.0.0.0/0)."),
        ("CSMS_METRICS_FROM", "::/0", "CSMS_METRICS_FROM trusts everybody (::/0)."),
        ("CSMS_METRICS_FROM", "prometheus", 'CSMS_METRICS_FROM has "prometheus", which is no address or network.'),
        ("CSMS_METRICS_TOKEN", "short", "CSMS_METRICS_TOKEN can be guessed."),
        ("EMAIL_URL", "smtp+tls://csms:secret@mail.example.com:587", "CSMS_EMAIL_FROM is not set."),
        ("CSMS_STATION_SECRET_KEYS", "", "CSMS_STATION_SECRET_KEYS is not set."),
        ("CSMS_STATION_SECRET_KEYS", "key-without-id", "CSMS_STATION_SECRET_KEYS has an entry that is not id:key."),
        (
            "CSMS_STATION_SECRET_KEYS",
            "a:short",
            "CSMS_STATION_SECRET_KEYS has a key that can be guessed (shorter than 32 random characters).",
        ),
        (
            "CSMS_STATION_SECRET_KEYS",
            f"a:{SAFE['SECRET_KEY']}",
            "CSMS_STATION_SECRET_KEYS holds SECRET_KEY, so that changing that one would lock every station out.",
        ),
        (
            "CSMS_STATION_SECRET_KEYS",
            ",".join([SAFE["CSMS_STATION_SECRET_KEYS"]] * 2),
            'CSMS_STATION_SECRET_KEYS has 2 keys with the id "2026".',
        ),
    ],
)
def test_a_setting_that_is_missing_or_unsafe_is_named(name: str, value: str, said: str) -> None:
    assert complaints(**{name: value}) == [said]


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(SAFE["SECRET_KEY"])
    given = {name: value for name, value in SAFE.items() if name != "SECRET_KEY"} | {"SECRET_KEY_FILE": str(file)}
    assert list(unsafe_settings(FileAwareMapping(env=given))) == []


def start(*argv: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """A process of ours with nothing but this environment, and what it said."""
    environment |= {"PATH": os.environ["PATH"]}
    return subprocess.run(
        [sys.executable, *argv], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.long
def test_check_deploy_is_clean_in_production() -> None:
    done = start("manage.py", "check", "--deploy", "--fail-level", "WARNING", **SAFE)
    assert (done.returncode, done.stdout.strip()) == (0, "System check identified no issues (0 silenced)."), done.stderr


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(("manage.py", "check"), marks=pytest.mark.long),
        ("-m", "csms.server", "--port", "0"),
        pytest.param(("-m", "celery", "-A", "csms", "worker"), marks=pytest.mark.long),
        pytest.param(("-m", "celery", "-A", "csms", "beat", "--pidfile="), marks=pytest.mark.long),
    ],
    ids=["manage.py", "web", "worker", "beat"],
)
def test_nothing_starts_in_production_while_a_setting_is_unsafe(argv: tuple[str, ...], tmp_path: Path) -> None:
    if "beat" in argv:  # which deletes whatever stands at this path and is no schedule
        argv += ("--schedule", str(tmp_path / "beat"))
    done = start(*argv, **SAFE | {"CSMS_ACCEPT_UNKNOWN": "Amber Grid"})
    assert done.returncode != 0
    assert "CSMS_ACCEPT_UNKNOWN lets any station charge for Amber Grid." in done.stdout + done.stderr


@pytest.mark.long
def test_with_allow_insecure_a_refusal_becomes_a_warning() -> None:
    done = start("manage.py", "check", **SAFE | {"CSMS_ACCEPT_UNKNOWN": "Amber Grid", "CSMS_ALLOW_INSECURE": "1"})
    assert done.returncode == 0
    assert "CSMS_ACCEPT_UNKNOWN lets any station charge for Amber Grid." in done.stderr


@pytest.mark.long
def test_a_mode_nobody_knows_does_not_switch_production_off() -> None:
    done = start("manage.py", "check", **SAFE | {"CSMS_MODE": "live"})
    assert done.returncode != 0
    assert 'CSMS_MODE is "live"' in done.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"messages": 0}, ["CSMS_KEEP_MESSAGES_MONTHS is 0."]),
        ({"status": 1201}, ["CSMS_KEEP_STATUS_MONTHS is 1201."]),
        ({"quarters": 12}, ["CSMS_KEEP_QUARTERS_MONTHS (12) is shorter than CSMS_KEEP_SAMPLES_MONTHS (24)."]),
    ],
)
def test_a_term_that_cannot_be_meant_is_named(changes: dict[str, int], said: list[str]) -> None:
    months = {"messages": 6, "samples": 24, "status": 24, "quarters": 60}
    assert [wrong for wrong, _ in impossible_terms(months | changes)] == said


def test_an_impossible_term_stops_the_start_without_production_too() -> None:
    done = start("manage.py", "check", CSMS_KEEP_SAMPLES_MONTHS="0")
    assert done.returncode != 0
    assert "CSMS_KEEP_SAMPLES_MONTHS is 0." in done.stderr

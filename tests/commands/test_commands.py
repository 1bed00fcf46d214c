"""The shell's commands."""

import io
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django_scopes import scopes_disabled

from accounts import services
from accounts.models import IdToken, User
from accounts.selectors import valid_api_key
from stations.credentials import matches
from stations.models import Connection, Station

pytestmark = pytest.mark.django_db


def run(*words: str) -> list[str]:
    """The lines a command prints."""
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue().splitlines()


@pytest.fixture
def _amber() -> None:
    run("operator", "add", "Amber Grid")


@pytest.mark.usefixtures("_amber")
def test_a_station_is_added_with_a_password_alone_on_the_last_line() -> None:
    lines = run("station", "add", "AMBER 01", "--site", "Harbour")
    with scopes_disabled():
        station = Station.objects.select_related("site").get()
        assert Connection.objects.get().station == station
    assert "OCPP URL path: /ocpp/AMBER%2001" in lines
    assert "HTTP Basic user: AMBER 01" in lines
    assert matches(station.password_hash, lines[-1].encode(), any_form=True)
    assert station.site
    assert station.site.name == "Harbour"


@pytest.mark.usefixtures("_amber")
def test_a_given_password_is_not_printed() -> None:
    lines = run("station", "add", "AMBER-01", "--password", "correct-horse-battery", "--security-profile", "2")
    assert "correct-horse-battery" not in str(lines)
    with scopes_disabled():
        assert Station.objects.get().security_profile == 2
    assert "Basic" not in str(run("station", "add", "AMBER-02", "--security-profile", "0"))


@pytest.mark.usefixtures("_amber")
def test_a_station_that_is_refused_leaves_no_site_behind() -> None:
    with pytest.raises(CommandError, match="certificates"):
        run("station", "add", "AMBER-01", "--site", "Harbour", "--security-profile", "3")
    with scopes_disabled():
        assert not Station.objects.exists()
    assert run("station", "list") == ["IDENTITY  OPERATOR  SITE  REGISTRATION  ONLINE  SEEN"]


@pytest.mark.usefixtures("_amber")
def test_stations_are_listed_registered_and_removed() -> None:
    run("operator", "add", "Cobalt Charging")
    run("station", "add", "COBALT-01", "--operator", "Cobalt Charging")
    run("station", "add", "AMBER-01", "--operator", "Amber Grid")
    run("station", "register", "AMBER-01", "Pending")
    assert [line.split() for line in run("station", "list")[1:]] == [
        ["AMBER-01", "Amber", "Grid", "-", "Pending", "no", "never"],
        ["COBALT-01", "Cobalt", "Charging", "-", "Accepted", "no", "never"],
    ]
    assert len(run("station", "list", "--operator", "Amber Grid")) == 2
    assert run("station", "remove", "AMBER-01") == ["Station AMBER-01 removed."]
    with pytest.raises(CommandError, match="no station AMBER-01"):
        run("station", "remove", "AMBER-01")
    assert len(run("station", "list")) == 2


def test_the_operator_is_asked_for_unless_there_is_one() -> None:
    for words in (["station", "add", "X"], ["idtag", "add", "X"], ["user", "add", "x@example.org", "--role", "owner"]):
        with pytest.raises(CommandError, match="operator add"):
            run(*words)
    services.add_operator(name="Amber Grid")
    services.add_operator(name="Cobalt Charging")
    for words in (["station", "add", "X"], ["idtag", "add", "X"], ["user", "add", "x@example.org", "--role", "owner"]):
        with pytest.raises(CommandError, match="--operator NAME"):
            run(*words)
    assert run("idtag", "add", "X", "--operator", "Cobalt Charging") == ["Id tag X (ISO14443, Accepted) added to Cobalt Charging."]


@pytest.mark.usefixtures("_amber")
def test_a_person_and_a_key_end_with_the_secret_alone() -> None:
    lines = run("user", "add", "ada@example.org", "--operator", "Amber Grid", "--role", "owner")
    ada = User.objects.get()
    assert ada.check_password(lines[-1])
    key = valid_api_key(run("apikey", "create", "--user", "ada@example.org", "--scope", "read")[-1])
    assert key is not None
    assert (key.user, key.scopes) == (ada, ["read"])
    given = run("user", "add", "ben@example.org", "--role", "viewer", "--password", "plugs-and-sockets")
    assert "plugs-and-sockets" not in str(given)
    let_in = run("user", "recover", "ben@example.org")
    assert User.objects.get(email="ben@example.org").check_password(let_in[-1])
    with pytest.raises(CommandError, match=r"no user eve@example\.org"):
        run("apikey", "create", "--user", "eve@example.org")


@pytest.mark.usefixtures("_amber")
def test_tags_are_added_and_imported(tmp_path: Path) -> None:
    run("idtag", "add", "04A1", "--type", "KeyCode", "--group", "fleet", "--status", "Blocked", "--expires", "2027-01-31")
    with scopes_disabled():
        tag = IdToken.objects.get()
    assert (tag.type, tag.status, f"{tag.expires_at:%F %R}") == ("KeyCode", "Blocked", "2027-01-31 00:00")
    file = tmp_path / "tags.csv"
    file.write_text("value,group\n04A2,fleet\n04A3,\n")
    assert run("idtag", "import", str(file)) == ["2 id tags added to Amber Grid, 0 changed."]
    file.write_text("value,status\n04A4,\n04A5,Maybe\n04A6,Perhaps\n")
    with pytest.raises(CommandError, match=r"(?s)line 3: .*\nline 4: "):
        run("idtag", "import", str(file))
    with pytest.raises(CommandError, match="No such file"):
        run("idtag", "import", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError, match="not a date"):
        run("idtag", "add", "04A7", "--expires", "soon")
    with pytest.raises(CommandError, match="already"):
        run("idtag", "add", "04a2")
    with scopes_disabled():
        assert IdToken.objects.count() == 3


@pytest.mark.usefixtures("_amber")
def test_an_operator_may_keep_rows_for_a_shorter_time() -> None:
    assert run("operator", "keep", "Amber Grid", "--messages", "30", "--samples", "90")[:2] == [
        "messages: 30 days",
        "samples: 90 days",
    ]
    assert run("operator", "keep", "Amber Grid", "--messages", "0") == [
        "messages: as long as the system keeps them",
        "samples: 90 days",
        "status: as long as the system keeps them",
        "connections: as long as the system keeps them",
    ]


@pytest.mark.usefixtures("_amber")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Amber Grid", "--messages", "400"], "say 1 to 168, since the system keeps them for 6 months anyway"),
        (["Amber Grid", "--status", "-1"], "say 1 to"),
        (["Amber Grid"], "Say what is kept how long"),
        (["Nobody", "--status", "9"], 'There is no operator "Nobody"'),
    ],
)
def test_a_term_that_makes_no_sense_is_refused_with_the_reason(words: list[str], said: str) -> None:
    with pytest.raises(CommandError, match=said):
        run("operator", "keep", *words)


@pytest.mark.usefixtures("_amber")
def test_an_operator_tells_its_code_and_closes_its_doors_to_drivers() -> None:
    (line,) = run("operator", "drivers", "Amber Grid")
    assert line == "Drivers sign up by themselves. In their apps, the code of the network is amber-grid."
    (line,) = run("operator", "drivers", "Amber Grid", "--closed")
    assert line.startswith("Drivers do not sign up by themselves.")
    (line,) = run("operator", "drivers", "Amber Grid", "--open")
    assert line.startswith("Drivers sign up")
    with pytest.raises(CommandError, match="no operator"):
        run("operator", "drivers", "Nobody")

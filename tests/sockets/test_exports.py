"""Lists as files, from a real server: it streams them in chunks, from a thread of its own."""

import csv
import io
import urllib.request
from urllib.error import HTTPError

import pytest
from django.test import Client
from django_scopes import scopes_disabled

from accounts.imports import import_id_tokens
from accounts.models import IdToken
from csms.dashboard.exports import CHUNK
from stations.models import Site, Transaction
from stations.services import groupterms
from stations.services.groupterms import Wanted
from tests.dashboard.addresses import FILES, NAMED, address
from tests.dashboard.rows import bill, finished, plug, session
from tests.dashboard.world import one_of_each
from tests.network import Network
from tests.servers import Server

#: Of the tags of the charger's list none were sent yet, and another charger was led elsewhere.
WITHOUT_ROWS = {"local_list_export", "network_moves_export"}


def download(server: Server, network: Network, path: str) -> list[list[str]]:
    client = Client()
    client.force_login(network.operator.users.first() or network.user())
    cookie = f"sessionid={client.cookies['sessionid'].value}"
    request = urllib.request.Request(server.http + path, headers={"Cookie": cookie})  # noqa: S310  (our own)
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
        # A list is sent in pieces: its length is not known beforehand.
        assert ("Content-Length" in answer.headers) == (answer.headers["Content-Type"] == "application/octet-stream")
        return list(csv.reader(io.StringIO(answer.read().decode("utf-8-sig"))))


def test_the_file_holds_the_whole_filtered_list_over_several_chunks(server: Server, network: Network) -> None:
    first = finished(plug(network), id_tag="=1+1")
    session(plug(network, "Charging"))
    bill(first, network.tariff(), "4.71")
    rows = [
        Transaction(
            **{
                name: getattr(first, name)
                for name in ("operator_id", "station_id", "evse_id", "status", "started_at", "received_at")
            },
            ocpp_transaction_id=f"copy-{number}",
        )
        for number in range(2 * CHUNK)
    ]
    with scopes_disabled():
        Transaction.objects.bulk_create(rows)
    header, *lines = download(server, network, "/transactions/export/?status=ended")
    assert [line[0] for line in lines] == [str(row.pk) for row in (*reversed(rows), first)]
    priced = dict(zip(header, lines[-1], strict=True))
    assert (priced["price"], priced["currency"], priced["energy_wh"], priced["id_tag"]) == ("4.71", "EUR", "7500", "'=1+1")
    assert priced["started_at"].endswith("Z")


def test_no_file_holds_anything_of_another_operator(uvicorn: Server, network: Network) -> None:
    world, other = one_of_each(network), Network()
    for name, query in ((name, query) for name, queries in FILES.items() for query in queries):
        path = address(name, world, query)
        assert len(download(uvicorn, network, path)) > (0 if name in WITHOUT_ROWS else 1)
        if name in NAMED:
            with pytest.raises(HTTPError, match="404"):
                download(uvicorn, other, path)
        else:
            lines = download(uvicorn, other, path)
            header, rows = ([], lines) if query == "format=ndjson" else (lines[0], lines[1:])
            # What comes with the release is everybody's.
            assert [row for row in rows if "shipped" not in header or row[header.index("shipped")] != "True"] == [], path


def test_the_id_tags_come_back_unchanged_by_an_import(uvicorn: Server, network: Network) -> None:
    cards = [
        IdToken(operator=network.operator, value=f"card-{number:04}", key=f"CARD-{number:04}", note="+31 6 1234")
        for number in range(CHUNK)  # exactly a chunk
    ]
    with scopes_disabled():
        IdToken.objects.bulk_create(cards)
    van = network.token("van", group="DEE", status="Blocked")
    station = network.station(accepted=True)
    with scopes_disabled():
        site = Site.objects.create(operator=network.operator, name="Harbour")
        groupterms.hold(token=van, held=Wanted(True, sites=[site], evses=[(station, 2)], types=["sType2"]))
    rows = download(uvicorn, network, "/id-tags/export/")
    assert [line[0] for line in rows[1:]] == [*(card.value for card in cards), "van"]
    assert rows[-1][-2:] == [f"site:Harbour|{station.identity}/2", "sType2"]
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    done = import_id_tokens(operator=network.operator, content=out.getvalue().encode())
    assert (done.added, done.changed) == (0, CHUNK + 1)
    assert download(uvicorn, network, "/id-tags/export/") == rows
    assert [line[0] for line in download(uvicorn, network, "/id-tags/export/?group=dee")[1:]] == ["van"]

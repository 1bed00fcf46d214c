"""Firmware as a local controller fetches it, to hand it on: at an address of its own, good until it is published or has failed."""

from datetime import timedelta

import pytest
from django.utils import timezone
from django_scopes import scopes_disabled

from csms.files import tokens
from stations.models import FirmwarePublication
from tests.files.test_firmware import CONTENT, Fetch
from tests.firmware import made_image
from tests.network import Network
from tests.servers import Server, until

SOON = timedelta(hours=1)


@pytest.fixture
def publication(network: Network) -> FirmwarePublication:
    image, now = made_image(network.operator, content=CONTENT), timezone.now()
    with scopes_disabled():
        return FirmwarePublication.objects.create(
            operator=network.operator, station=network.station(accepted=True), firmware=image, checksum=image.md5, request_id=1,
            expires_at=now + SOON, status="sent", status_at=now, created_at=now,
        )  # fmt: skip


def now_of(publication: FirmwarePublication) -> FirmwarePublication:
    with scopes_disabled():
        return FirmwarePublication.objects.get(pk=publication.pk)


def change(publication: FirmwarePublication, **fields: object) -> None:
    with scopes_disabled():
        FirmwarePublication.objects.filter(pk=publication.pk).update(**fields)


def test_the_file_is_fetched_while_the_publication_is_open(uvicorn: Server, publication: FirmwarePublication) -> None:
    token, token_hash = tokens.make()
    change(publication, token_hash=token_hash)
    path = f"/files/firmware/{token}/image.bin"
    got = Fetch(uvicorn, path)
    assert (got.status, got.body) == (200, CONTENT)
    until(lambda: now_of(publication).bytes_served == len(CONTENT))
    for over in ({"finished_at": timezone.now()}, {"finished_at": None, "expires_at": timezone.now() - SOON}):
        change(publication, **over)
        assert Fetch(uvicorn, path).status == 410

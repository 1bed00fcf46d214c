"""What is kept of an address: where it leads, not what opens it."""

import pytest

from stations.domain.addresses import without_secrets


@pytest.mark.parametrize(
    ("address", "kept"),
    [
        ("ftp://files.example.com/logs/", "ftp://files.example.com/logs/"),
        ("ftp://ada:secret@files.example.com/logs/", "ftp://***@files.example.com/logs/"),
        ("sftp://ada:se@cret@files.example.com/", "sftp://***@files.example.com/"),
        ("https://files.example.com/a@b?c=d@e", "https://files.example.com/a@b?c=d@e"),
        (f"https://csms.example.com/files/logs/{'0a' * 20}/", "https://csms.example.com/files/logs/***/"),
        (f"https://csms.example.com/FILES/firmware/{'0A' * 20}/x.bin", "https://csms.example.com/FILES/firmware/***/x.bin"),
        ('{"location":"ftp:\\/\\/ada:secret@files.example.com"}', '{"location":"ftp:\\/\\/***@files.example.com"}'),
    ],
)
def test_a_login_and_a_one_time_address_are_not_kept(address: str, kept: str) -> None:
    assert without_secrets(address) == kept

"""The addresses stations are given, and the core's door to files (`stations.ports.Files`)."""

from collections.abc import Iterable
from datetime import datetime
from urllib.parse import quote

from django.conf import settings

from csms.files import storage, tokens


class Files:
    """Fills `stations.ports.files`."""

    def credential(self) -> tuple[str, str]:
        return tokens.make()

    def address(self, folder: str, token: str, name: str = "") -> str:
        return f"{settings.STATION_FILES_URL}/files/{folder}/{token}/{quote(name)}"

    def new_path(self, folder: str, operator_id: int) -> str:
        return storage.new_path(folder, operator_id)

    def delete(self, paths: Iterable[str]) -> None:
        storage.delete(paths)

    def older(self, folder: str, before: datetime) -> Iterable[str]:
        return storage.older(folder, before)

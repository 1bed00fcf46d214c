"""Takes a firmware image that was uploaded into the folder of files, hashing it on the way."""

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TypedDict

from django.conf import settings
from django.core.exceptions import ValidationError
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from csms.files import storage
from stations.services.firmware import FOLDER


class Stored(TypedDict):
    """As `stations.services.firmware.add_firmware` takes it."""

    path: str
    size: int
    sha256: str
    md5: str


def too_large() -> ValidationError:
    limit = filesizeformat(settings.MAX_FIRMWARE_BYTES)
    return ValidationError({"file": _("The file is larger than %(limit)s, which is the limit here.") % {"limit": limit}})


@contextmanager
def stored(pieces: Iterable[bytes], *, operator_id: int) -> Iterator[Stored]:
    """The stored file, for the block that makes its row: if that raises, the file goes. Raises ValidationError of "file"."""
    path = storage.new_path(FOLDER, operator_id)
    md5 = hashlib.md5(usedforsecurity=False)  # what OCPP's local controllers are told, beside SHA-256
    try:
        with storage.Writer(path, limit=settings.MAX_FIRMWARE_BYTES) as writer:
            for piece in pieces:
                writer.write(piece)
                md5.update(piece)
            writer.finish()
    except storage.TooLarge:
        raise too_large() from None
    except OSError as error:
        why = _("The file could not be stored: %(why)s. Whoever runs this system has to make room.")
        raise ValidationError({"file": why % {"why": error.strerror}}) from error
    try:
        yield Stored(path=path, size=writer.size, sha256=writer.sha256, md5=md5.hexdigest())
    except BaseException:
        storage.delete([path])
        raise

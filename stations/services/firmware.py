"""Firmware (OCPP 2.0.1 chapter L): the library of images, and updates of single stations. `firmwareprogress` follows them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django_scopes import scope

from accounts import audit
from accounts.models import Operator, User
from accounts.tokens import taken
from stations import models, onetime, ports
from stations.batch import Batch, of_one
from stations.domain.commands import BadCommand, Command, UpdateFirmware
from stations.models import CommandStatus, Firmware, FirmwareUpdate, Station, UpdateFailure, UpdateStatus
from stations.services import commandends, commands, firmwareprogress, registry

#: How long an address is good after the latest time at which the station may begin to fetch.
ADDRESS_HOLDS = timedelta(hours=24)
#: Updates that a sweep ends at once.
SWEPT = 500
#: Settings that only stations with the security extension have (OCPP 1.6 security whitepaper, 4).
EXTENSION = ("SecurityProfile", "AdditionalRootCertificateCheck", "CertificateSignedMaxChainSize", "CertificateStoreMaxLength", "CpoName")
AUDITED = ("vendor", "model", "version", "name", "size", "sha256", "notes", "withdrawn_at")


# The library


def add_firmware(
    *,
    operator: Operator,
    vendor: str,
    version: str,
    name: str,
    path: str,
    size: int,
    sha256: str,
    md5: str,
    model: str = "",
    signature: str = "",
    signing_certificate: str = "",
    notes: str = "",
    user: User | None = None,
) -> Firmware:
    """An image whose file is stored at `path` already. Raises ValidationError with cause and remedy; then the file is nobody's."""
    raise NotImplementedError


def withdraw(*, firmware: Firmware) -> None:
    """Offer an image no more. Updates that are under way go on."""
    raise NotImplementedError


# One station


def start(
    *,
    station: Station,
    firmware: Firmware,
    user: User | None = None,
    reason: str = "",
    retrieve_at: datetime | None = None,
    install_at: datetime | None = None,
    retries: int | None = 3,
    retry_interval_s: int | None = None,
    signed: str = "auto",
    expires_in: int | None = None,
    idempotency_key: str | None = None,
) -> FirmwareUpdate:
    """Ask a station to fetch an image and install it. `expires_in`: seconds it may wait for a station that is offline.

    Raises BadCommand if it makes no sense now: an update is open there, it has this version, the image does not fit or is
    withdrawn. With an idempotency key that was used before, returns the update it was used for.
    """
    raise NotImplementedError


def cancel(*, update: FirmwareUpdate) -> bool:
    """Take an update back: one that was not sent is never sent; of one that was, the address is good no more. False: too late."""
    raise NotImplementedError


def fetched(*, update: FirmwareUpdate) -> None:
    """The station has begun to fetch the image (which some never say)."""
    raise NotImplementedError


def sweep(*, now: datetime) -> int:
    """End the updates whose time is over or whose command came to nothing. Returns how many."""
    raise NotImplementedError

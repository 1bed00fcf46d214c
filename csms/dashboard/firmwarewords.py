"""How far a firmware update is, in words, with a shape beside each."""

from dataclasses import dataclass
from datetime import datetime

from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from stations.models import FirmwareUpdate, UpdateFailure, UpdateStatus
from stations.services.firmware import BEYOND_RECALL, NOT_RESTARTED

Word = str | Promise

#: `now`, `done` or `bad` (a shape of `templates/_icons.html` and a colour of app.css), and the word.
STATUSES: dict[str, tuple[str, Word]] = {
    UpdateStatus.WAITING: ("open", pgettext_lazy("firmware", "Waiting")),
    UpdateStatus.SENT: ("now", pgettext_lazy("firmware", "Sent")),
    UpdateStatus.DOWNLOADING: ("now", pgettext_lazy("firmware", "Downloading")),
    UpdateStatus.DOWNLOADED: ("now", pgettext_lazy("firmware", "Downloaded")),
    UpdateStatus.VERIFIED: ("now", pgettext_lazy("firmware", "Signature is good")),
    UpdateStatus.INSTALLING: ("now", pgettext_lazy("firmware", "Installing")),
    UpdateStatus.REBOOTING: ("now", pgettext_lazy("firmware", "Restarting")),
    UpdateStatus.DONE: ("done", pgettext_lazy("firmware", "Done")),
    UpdateStatus.FAILED: ("bad", pgettext_lazy("firmware", "Failed")),
}
#: What went wrong, and what to do.
FAILURES: dict[str, Word] = {
    UpdateFailure.DOWNLOAD: gettext_lazy("The charger could not fetch the file. Look whether it reaches us, then try again."),
    UpdateFailure.SIGNATURE: gettext_lazy("The charger refused the signature or its certificate. Ask its maker for them."),
    UpdateFailure.INSTALL: gettext_lazy("The charger could not install it. Fetch its log, and ask its maker."),
    UpdateFailure.VERSION: gettext_lazy("The charger came back with another version. Look whether the image is the right one."),
    UpdateFailure.TIMEOUT: gettext_lazy("The charger fell silent on the way. Look whether it is online, then try again."),
    UpdateFailure.IDLE: gettext_lazy("The charger agreed, and says that it does nothing about it. Fetch its log, then try again."),
    UpdateFailure.REJECTED: gettext_lazy("The charger refused to be updated."),
    UpdateFailure.CANCELLED: gettext_lazy("It was taken back."),
}


@dataclass(frozen=True, slots=True)
class Step:
    at: datetime
    word: Word
    state: str
    detail: str


@dataclass(frozen=True, slots=True)
class UpdateRow:
    update: FirmwareUpdate

    @property
    def state(self) -> str:
        return STATUSES[self.update.status][0]

    @property
    def word(self) -> Word:
        return STATUSES[self.update.status][1]

    @property
    def sentence(self) -> str:
        update = self.update
        match update.status:
            case UpdateStatus.WAITING:
                return _("It is sent as soon as the charger is there and has answered what it was asked before.")
            case UpdateStatus.DOWNLOADING if update.bytes_served and update.firmware:
                # A file that is fetched twice is served twice.
                served = filesizeformat(min(update.bytes_served, update.firmware.size))
                return _("%(served)s of %(size)s are fetched.") % {"served": served, "size": filesizeformat(update.firmware.size)}
            case UpdateStatus.REBOOTING:
                return _("The version it comes back with will show whether it worked.")
            case UpdateStatus.DONE if update.detail == NOT_RESTARTED:
                return _("The charger says that it is installed. It did not restart, so that its version does not show it.")
            case UpdateStatus.DONE if update.firmware:
                return _("The charger runs %(version)s.") % {"version": update.firmware.version}
            case UpdateStatus.DONE:
                return update.detail
            case UpdateStatus.FAILED:
                said = f" ({update.detail})" if update.detail else ""
                return f"{FAILURES.get(update.reason, '')}{said}"
        return ""

    @property
    def cancellable(self) -> bool:
        return self.update.finished_at is None and self.update.status not in BEYOND_RECALL

    @property
    def retryable(self) -> bool:
        """Of what is not in the library the address may have held a secret, which is not kept."""
        image = self.update.firmware
        return self.update.status == UpdateStatus.FAILED and image is not None and image.withdrawn_at is None

    @property
    def steps(self) -> list[Step]:
        """The log of the update, the oldest first."""
        return [
            Step(datetime.fromisoformat(at), STATUSES[status][1], STATUSES[status][0], detail)
            for at, status, detail in self.update.steps
        ]

"""A file of ours as a download: read in pieces, never opened by the browser, whatever it is."""

from django.http import Http404, StreamingHttpResponse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import slugify
from django.utils.translation import gettext as _

from csms.files import storage
from csms.files.sending import pieces
from stations.models import LogStatus, LogUpload
from stations.services import logkeeping


def attachment(path: str, name: str) -> StreamingHttpResponse:
    """What a row's path leads to, under this name. Raises Http404 if the file is not there any more."""
    size = storage.size(path)
    if size is None:
        raise Http404(_("The file is not there any more."))

    # Never as what the station says it is: a page of a stranger's would run as one of ours.
    headers = {"Content-Disposition": str(content_disposition_header(True, name)), "Content-Length": str(size)}
    return StreamingHttpResponse(pieces(path), content_type="application/octet-stream", headers=headers)


def log_file(upload: LogUpload) -> StreamingHttpResponse:
    """The download of a station's log, noted in the audit. Raises Http404 if there is no file."""
    if upload.status != LogStatus.UPLOADED or upload.finished_at is None or not upload.path:
        raise Http404(_("This log is not here."))
    at = timezone.localtime(upload.finished_at)
    name = f"{slugify(upload.station.identity) or 'charger'}-{at:%Y%m%d-%H%M}-{upload.filename or upload.kind}"
    answer = attachment(upload.path, name)
    logkeeping.opened(upload=upload)
    return answer

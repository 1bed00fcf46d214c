"""The form that takes a firmware image into the library."""

import base64
import ssl
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csms.dashboard.serviceforms import ServiceForm
from csms.files import images

#: No signature and no certificate is larger.
LONGEST_TEXT = 16 * 1024


class ImageForm(ServiceForm):
    """An image to take in. The rules are those of `stations.services.firmware`; their errors are put to the fields."""

    file = forms.FileField(
        label=gettext_lazy("File"),
        allow_empty_file=True,  # the service says so in its own words
    )
    vendor = forms.CharField(
        label=gettext_lazy("Maker"),
        max_length=50,
        widget=forms.TextInput({"list": "vendors", "autocomplete": "off"}),
        help_text=gettext_lazy("As the chargers tell it."),
    )
    model = forms.CharField(
        label=gettext_lazy("Model"),
        max_length=50,
        required=False,
        widget=forms.TextInput({"list": "models", "autocomplete": "off"}),
        help_text=gettext_lazy("As the chargers tell it. Empty: for all models of this maker."),
    )
    version = forms.CharField(
        label=gettext_lazy("Version"),
        max_length=100,
        widget=forms.TextInput({"autocomplete": "off"}),
        help_text=gettext_lazy("Exactly as a charger tells it once it runs this: so an update is known to have worked."),
    )
    notes = forms.CharField(label=gettext_lazy("Notes"), max_length=2000, required=False, widget=forms.Textarea({"rows": 3}))
    signature = forms.CharField(
        label=gettext_lazy("Signature"),
        max_length=2000,
        required=False,
        widget=forms.Textarea({"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("In Base64, if the maker signs its firmware."),
    )
    signature_file = forms.FileField(label=gettext_lazy("Signature, as a file"), required=False)
    signing_certificate = forms.CharField(
        label=gettext_lazy("Signing certificate"),
        max_length=8000,
        required=False,
        widget=forms.Textarea({"rows": 3, "autocomplete": "off", "spellcheck": "false"}),
        help_text=gettext_lazy("In PEM, if the maker signs its firmware."),
    )
    certificate_file = forms.FileField(label=gettext_lazy("Signing certificate, as a file"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        limit = {"limit": filesizeformat(settings.MAX_FIRMWARE_BYTES)}
        self.fields["file"].help_text = _("As the maker gave it, up to %(limit)s.") % limit

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        upload = data.get("file")
        if upload is not None and upload.size > settings.MAX_FIRMWARE_BYTES:
            self.refuse(images.too_large())
        for text, file, read in (
            ("signature", "signature_file", _signature_in),
            ("signing_certificate", "certificate_file", _certificate_in),
        ):
            if given := data.get(file):
                try:
                    data[text] = read(given)
                except ValidationError as error:
                    self.add_error(file, error)
        return data

    def told(self) -> dict[str, str]:
        names = ("vendor", "model", "version", "notes", "signature", "signing_certificate")
        return {name: self.cleaned_data[name] for name in names}


def _signature_in(upload: "UploadedFile[bytes]") -> str:
    """A signature in Base64, whether its file has it so or as bare bytes."""
    content = _read(upload)
    try:
        text = "".join(content.decode("ascii").split())
        base64.b64decode(text, validate=True)
    except ValueError:
        return base64.b64encode(content).decode()
    return text


def _certificate_in(upload: "UploadedFile[bytes]") -> str:
    """A certificate in PEM, whether its file has it so or in DER."""
    content = _read(upload)
    try:
        return content.decode("ascii")
    except UnicodeDecodeError:
        return ssl.DER_cert_to_PEM_cert(content)


def _read(upload: "UploadedFile[bytes]") -> bytes:
    content: bytes = upload.read(LONGEST_TEXT + 1)
    if len(content) > LONGEST_TEXT:
        raise ValidationError(_("This file is too large for what it should be: choose the one that the maker gave."))
    return content

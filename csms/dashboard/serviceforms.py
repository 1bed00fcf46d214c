"""Forms whose rules are those of a service."""

from django import forms
from django.core.exceptions import ValidationError


class ServiceForm(forms.Form):
    """What the service refuses is shown where it was entered."""

    def refuse(self, error: ValidationError) -> None:
        """Show what the service said, each sentence at its field; at the form, what is about none that is seen."""
        for name, errors in error.error_dict.items() if hasattr(error, "error_dict") else [("", [error])]:
            seen = name in self.fields and not self.fields[name].widget.is_hidden
            self.add_error(name if seen else None, errors)

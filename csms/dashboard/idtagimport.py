"""Id tags from a file, in two steps: first what it would do or what is wrong with it, line by line, then the import itself."""

import secrets
from itertools import islice

from django import forms
from django.contrib import messages
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_http_methods

from accounts.imports import MAX_BYTES, all_columns, preview_id_tokens
from accounts.services import import_id_tokens
from csms.dashboard.access import action, needs, operator_of
from csms.dashboard.idtags import MAY_CHANGE

#: How long a file waits for its second step.
KEPT_S = 15 * 60
LINES_SHOWN = 50
ERRORS_SHOWN = 200


class FileForm(forms.Form):
    file = forms.FileField(label=gettext_lazy("CSV file"), widget=forms.FileInput({"accept": ".csv,text/csv"}))


@require_http_methods(["GET", "HEAD", "POST"])
@needs(MAY_CHANGE)
def preview_import(request: HttpRequest) -> HttpResponse:
    """Choose a file; then see what it would do."""
    operator = operator_of(request)
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    context: dict[str, object] = {"form": form, "columns": all_columns()}
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        # One byte more than allowed is enough for the refusal.
        content = upload.read(MAX_BYTES + 1)
        try:
            lines = preview_id_tokens(operator=operator, content=content)
        except ValidationError as error:
            context |= {"errors": error.messages[:ERRORS_SHOWN], "errors_total": len(error.messages), "name": upload.name}
        else:
            ticket = secrets.token_urlsafe(16)
            cache.set(_key(request, ticket), content, KEPT_S)
            known = sum(line.known for line in lines)
            shown = list(islice(lines, LINES_SHOWN))
            context |= {"lines": shown, "name": upload.name, "added": len(lines) - known, "changed": known, "ticket": ticket}
            context |= {"total": len(lines), "hidden": len(lines) - len(shown)}
    status = 422 if form.errors or "errors" in context else 200
    return render(request, "dashboard/id_tags_import.html", context, status=status)


@action(MAY_CHANGE)
def run_import(request: HttpRequest) -> HttpResponse:
    """Import the file that was looked at."""
    operator = operator_of(request)
    key = _key(request, request.POST.get("ticket", ""))
    content = cache.get(key)
    if content is None:
        messages.error(request, _("The file was imported already, or was kept for too long. Choose it again."))
        return redirect("id_tags_import")
    try:
        done = import_id_tokens(operator=operator, content=content)
    except ValidationError as error:
        messages.error(request, " ".join(error.messages))
        return redirect("id_tags_import")
    cache.delete(key)
    added = ngettext("%(n)s id tag added", "%(n)s id tags added", done.added) % {"n": done.added}
    changed = ngettext("%(n)s changed", "%(n)s changed", done.changed) % {"n": done.changed}
    messages.success(request, f"{added}, {changed}.")
    return redirect("id_tags")


def _key(request: HttpRequest, ticket: str) -> str:
    # The user's own: a ticket that somebody else saw opens nothing.
    return f"id-tags-import:{request.user.pk}:{ticket[:40]}"

"""What the vocabulary of the network says, in the reader's language."""

from django.utils.translation import gettext

from stations.domain.commands import BadCommand


def in_words(error: BadCommand) -> str:
    """Why a command makes no sense."""
    text = gettext(error.text)
    return text % error.values if error.values else text

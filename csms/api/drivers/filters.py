"""What the drivers' lists can be narrowed by."""

import django_filters as filters

from csms.api.filters import Filters, period
from stations import choices


class NoFilters(Filters):
    """By nothing: the list is short."""


class MySessionFilters(Filters):
    status = filters.ChoiceFilter(choices=choices.TRANSACTION_STATUS)
    since, until = period("started_at").values()

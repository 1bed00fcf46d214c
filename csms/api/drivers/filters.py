"""What the drivers' lists can be narrowed by."""

import django_filters as filters

from csms.api.filters import period
from stations import choices


class NoFilters(filters.FilterSet):
    """By nothing: the list is short."""


class MySessionFilters(filters.FilterSet):
    status = filters.ChoiceFilter(choices=choices.TRANSACTION_STATUS)
    since, until = period("started_at").values()

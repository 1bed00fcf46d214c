"""Chapters A and M: certificates."""

from stations.domain.command import Command

ALL: tuple[type[Command], ...] = ()

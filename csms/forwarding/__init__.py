"""Forwarding: what stations say is mirrored to a second back end, over a socket of each station's own.

It is fed from the message log, by a process of its own (`manage.py forward`): the way of a station's message knows nothing of it.
"""

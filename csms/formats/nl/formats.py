"""Formats of dates that the pages write, as they are written in Dutch."""

globals().update({one: one.replace("j M", "j b") for one in ("j M H:i", "j M H:i:s", "j M Y H:i", "j M Y H:i:s")})

"""Formats of dates that the pages write, as they are written in German."""

globals().update({one: one.replace("j M", "j. M") for one in ("j M H:i", "j M H:i:s", "j M Y H:i", "j M Y H:i:s")})
globals().update({one: one.replace("j F", "j. F") for one in ("j F Y", "j F Y H:i")})

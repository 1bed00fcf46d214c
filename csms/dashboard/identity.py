"""A station's identity as one part of a path. It may hold slashes and percent signs."""


class IdentityConverter:
    """Servers decode `%2F` before anybody sees the path, so what could be mistaken is quoted once more."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        return value.replace("%2F", "/").replace("%2E", ".").replace("%25", "%")

    def to_url(self, value: str) -> str:
        quoted = value.replace("%", "%25").replace("/", "%2F")
        # A browser would take a part of dots alone for "this folder" or "the one above".
        return quoted.replace(".", "%2E") if not value.strip(".") else quoted

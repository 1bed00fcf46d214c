"""The file in a form (multipart/form-data, RFC 7578), taken out as it comes: memory holds a piece, never the file."""

from django.utils.http import parse_header_parameters

LONGEST_HEAD = 16 * 1024


class BadForm(ValueError):
    """It is no form with a file in it."""


class FirstFile:
    """Fed the body in pieces, gives the bytes of its first file back in pieces. `whole`: its end has come."""

    def __init__(self, content_type: str) -> None:
        boundary = parse_header_parameters(content_type)[1].get("boundary", "").strip('"')
        if not 1 <= len(boundary) <= 200 or not boundary.isascii():
            raise BadForm("The form names no boundary.")
        self.delimiter = b"\r\n--" + boundary.encode()
        self.waiting = b"\r\n"  # the first delimiter may stand at the very beginning
        self.where = "between"
        self.filename = self.content_type = ""

    @property
    def whole(self) -> bool:
        return self.where == "after"

    def feed(self, data: bytes) -> bytes:
        self.waiting += data
        if self.where == "between":
            self._find_file()
        if self.where != "file":
            if self.whole:
                self.waiting = b""
            return b""
        at = self.waiting.find(self.delimiter)
        if at >= 0:
            found, self.waiting, self.where = self.waiting[:at], b"", "after"
            return found
        # The beginning of a delimiter may be the end of this piece.
        kept = len(self.delimiter) - 1
        found, self.waiting = self.waiting[:-kept], self.waiting[-kept:]
        return found

    def _find_file(self) -> None:
        """Go over what stands before the file, as far as it is here."""
        while (at := self.waiting.find(self.delimiter)) >= 0:
            head = at + len(self.delimiter)
            if self.waiting[head : head + 2] == b"--":
                raise BadForm("There is no file in the form.")
            end = self.waiting.find(b"\r\n\r\n", head)
            if end < 0:
                self.waiting = self.waiting[at:]
                if len(self.waiting) > LONGEST_HEAD:
                    raise BadForm("A part of the form has a head without an end.")
                return
            is_file = self._read_head(self.waiting[head:end].decode("utf-8", "replace"))
            # The blank line may be the beginning of the next delimiter, where a part is empty.
            self.waiting = self.waiting[end + 2 :] if not is_file else self.waiting[end + 4 :]
            if is_file:
                self.where = "file"
                return
        self.waiting = self.waiting[-len(self.delimiter) + 1 :]

    def _read_head(self, head: str) -> bool:
        """Whether the part is a file: it has a file's name."""
        lines = (line.partition(":") for line in head.split("\r\n"))
        headers = {name.strip().lower(): value.strip() for name, _, value in lines}
        options = parse_header_parameters(headers.get("content-disposition", ""))[1]
        if "filename" not in options:
            return False
        self.filename, self.content_type = options["filename"], headers.get("content-type", "")
        return True

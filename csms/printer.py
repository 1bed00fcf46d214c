"""A process that makes PDFs and ends: HTML and CSS come in as JSON, the PDF goes out. Nothing of ours is imported here.

It makes one, or, called with `--many`, one after the other until its input ends: then each message, in and out, has its length
before it, and a PDF that could not be made has none. It fetches nothing, whatever the HTML names, and has bounds of its own for
time and memory. Exit codes: 3, a library is missing.
"""

import io
import json
import os
import resource
import sys
import traceback
from typing import Any

MISSING = 3
#: A receipt takes a second and 150 MB; of many each but the first a fraction of that.
CPU_S, MEMORY_BYTES = 30, 2**30
#: How many bytes say how long a message is, and how many PDFs one process makes.
HEAD, MANY = 8, 100


def main() -> None:
    many = sys.argv[1:] == ["--many"]
    cpu_s = CPU_S * (4 if many else 1)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(10)
    with os.fdopen(os.dup(1), "wb") as out:
        os.dup2(2, 1)  # what a library prints is no PDF
        try:
            from weasyprint import CSS, HTML
            from weasyprint.urls import URLFetcher
        except (ImportError, OSError) as error:
            sys.stderr.write(f"{error}\n")
            sys.stderr.flush()
            os._exit(MISSING)

        class Nothing(URLFetcher):
            """Refuses every address: files of this machine and addresses of its network are nobody's business."""

            def fetch(self, url: str, headers: Any = None) -> Any:
                raise ValueError("Nothing is fetched.")

        def make(asked: dict[str, str], target: Any) -> None:
            fetcher = Nothing()
            sheet = CSS(string=asked["css"], url_fetcher=fetcher)
            document = HTML(string=asked["html"], url_fetcher=fetcher)
            document.write_pdf(target, stylesheets=[sheet], pdf_variant="pdf/ua-1", pdf_identifier=asked["identifier"].encode())

        if not many:
            make(json.load(sys.stdin), out)
            return
        while head := sys.stdin.buffer.read(HEAD):
            asked, made = json.loads(sys.stdin.buffer.read(int.from_bytes(head))), io.BytesIO()
            try:
                make(asked, made)
            except Exception:
                traceback.print_exc()
                made = io.BytesIO()
            out.write(len(made.getbuffer()).to_bytes(HEAD))
            out.write(made.getbuffer())
            out.flush()


if __name__ == "__main__":
    main()

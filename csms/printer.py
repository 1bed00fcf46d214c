"""A process that makes one PDF and ends: HTML and CSS come in as JSON, the PDF goes out. Nothing of ours is imported here.

It fetches nothing, whatever the HTML names, and has bounds of its own for time and memory. Exit codes: 3, a library is missing.
"""

import json
import os
import resource
import sys
from typing import Any

MISSING = 3
#: A receipt takes a second and 150 MB.
CPU_S, MEMORY_BYTES = 30, 2**30


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    os.nice(10)
    asked = json.load(sys.stdin)
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

        fetcher = Nothing()
        sheet = CSS(string=asked["css"], url_fetcher=fetcher)
        document = HTML(string=asked["html"], url_fetcher=fetcher)
        document.write_pdf(out, stylesheets=[sheet], pdf_variant="pdf/ua-1", pdf_identifier=asked["identifier"].encode())


if __name__ == "__main__":
    main()

"""A job, a page or a shell in the middle of its work with one station: it says so, and does not end by itself."""

import sys
import threading
from datetime import UTC, datetime

import django

if __name__ == "__main__":
    django.setup()
    from django_scopes import scopes_disabled

    from stations.batch import of_one

    with scopes_disabled(), of_one(int(sys.argv[1]), now=datetime.now(UTC)):
        print("holding", flush=True)
        threading.Event().wait()

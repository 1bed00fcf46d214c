"""`python -m csms.local run|services|test`: called by the Makefile."""

import argparse
import sys
from pathlib import Path

from csms.local import run, services, testrun
from csms.local.processes import Stopped, Trouble, listen, pause, say

CHECKOUT = Path.cwd()


def serve_only() -> int:
    """`make services`: start them, print how to use them, and wait."""
    with services.for_running(CHECKOUT) as urls:
        for name, url in urls.items():
            say(f"export {name}={url}")
        if all(map(services.given, services.URLS)):
            say("Both are set in the environment: there is nothing to start.")
            return 0
        say("Ctrl-C stops what this has started.")
        names = list(services.URLS)
        while services.answer(urls, names):
            pause(5)
        raise Trouble("A server has stopped answering; its log is in .services/data/.")


def port_number(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise Trouble(f'PORT is "{text}". It must be a number from 1 to 65535, such as 8000.')


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m csms.local", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="everything, in the foreground")
    running.add_argument("--port", default="8000")
    running.add_argument("--demo", default="1", help="0 for an empty network")
    commands.add_parser("services", help="PostgreSQL and Redis, in the foreground")
    commands.add_parser("test", help="pytest with servers of its own, and with whatever arguments follow")
    # Only `test` takes what this parser does not know.
    options, arguments = parser.parse_known_args() if sys.argv[1:2] == ["test"] else (parser.parse_args(), [])
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]  # a terminal that knows no frames shows question marks
    listen()
    try:
        if options.command == "run":
            return run.run(CHECKOUT, port=port_number(options.port), demo=options.demo != "0")
        return serve_only() if options.command == "services" else testrun.run_tests(CHECKOUT, arguments)
    except Stopped:
        return 0 if options.command == "services" else 130
    except Trouble as trouble:
        print(f"\n{trouble}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

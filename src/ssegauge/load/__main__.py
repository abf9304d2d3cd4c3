"""Locust, begun by `ssegauge load`: what it says bears a name that somebody typed, and Ctrl-C while it still imports ends it quietly."""

from __future__ import annotations

import signal
import sys


def main() -> None:
    """Run Locust with the arguments of this process. Takes seconds to import, in which an interrupt finds no handler."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from locust import events  # noqa: PLC0415 - the seconds
    from locust.main import main as run  # noqa: PLC0415 - the same

    # Before the listeners of a scenario's own, which may take the signal onto the event loop (ssegauge.load.interrupt).
    events.init.add_listener(lambda **_: signal.signal(signal.SIGINT, signal.default_int_handler))
    sys.argv[0] = "locust"
    run()


if __name__ == "__main__":
    main()

"""Every argument of a scenario, its own included: `python -m ssegauge.load.arguments_of SCENARIO.py`.

Locust answers --help before it has read the scenario, and so without the scenario's arguments.
"""

from __future__ import annotations

import sys

from locust.argument_parser import get_parser
from locust.util.load_locustfile import load_locustfile


def main(scenario: str) -> None:
    """Print the help."""
    load_locustfile(scenario)
    parser = get_parser()
    parser.prog = "ssegauge load TARGET --"
    parser.print_help()


if __name__ == "__main__":
    main(sys.argv[1])

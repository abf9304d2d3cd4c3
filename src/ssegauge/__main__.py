"""`python -m ssegauge` is the command `ssegauge`."""

import sys

from ssegauge.cli import main

if __name__ == "__main__":
    sys.exit(main())

"""The project gates itself: the reference app must be right, and two copies of it must not be told apart.

    python .ci/selfgate.py [--seconds 15] [--out reports/out/selfgate]

The last comparison is of the app with itself a third slower, which must be found. On a machine that is too busy to tell
(exit code 3) a comparison is printed and let pass: CI says what it saw and accuses nobody. What does not hold is asked
once more: an interval that is 95 % sure is wrong now and then. It takes one minute, at most three.
"""

import argparse
import os
import subprocess
import sys
from pathlib import Path

os.environ["SSEGAUGE_PACE"] = "0.2"  # gaps of 100 ms to 200 ms: longer than what a busy machine is late by

from ssegauge.serving import ServedApp

APP = "ssegauge.target_app.app:app"


def ssegauge(*words: str) -> int:
    """Run a verb and say how it ended."""
    say(f"$ ssegauge {' '.join(words)}")
    code = subprocess.run([sys.executable, "-m", "ssegauge", *words], check=False).returncode
    say(f"exit code {code}\n")
    return code


def allowed(codes: set[int], *words: str) -> bool:
    """Whether a verb ends with one of these codes; the second time is the last."""
    return ssegauge(*words) in codes or (say("once more:") and ssegauge(*words) in codes)


def say(words: str) -> bool:
    """Print a line."""
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()
    return True


def main() -> int:
    """1 where a code is not one of those that are allowed there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", default="15")
    parser.add_argument("--out", type=Path, default=Path("reports/out/selfgate"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    check = str(options.out / "check.json")
    # a first event takes the app a few milliseconds, which says more of the machine than of the app
    load = ["--seconds", options.seconds, "--users", "8", "--metric", "gap.mean"]
    with ServedApp(APP) as first, ServedApp(APP) as second:
        a, b = f"{first.url}/agent/think/stream?query=hello", f"{second.url}/agent/think/stream?query=hello"
        held = [
            allowed({0}, "check", f"{first.url}/stream", "--results", check),
            allowed({0}, "gate", check),
            allowed({0, 3}, "compare", a, b, *load, "--results", str(options.out / "same.json")),
            allowed({1, 3}, "compare", a, f"{b}&pace=0.267", *load, "--results", str(options.out / "slower.json")),
        ]
    say("the project holds its own gates" if all(held) else "something did not hold, see above")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())

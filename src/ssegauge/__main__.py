"""`python -m ssegauge` is the command `ssegauge`."""

from ssegauge.cli import main

if __name__ == "__main__":
    main()

"""Mistakes and states that end a command: one clear line, an exit code, no traceback."""

HELD = 0
"""Everything that was judged held."""
DID_NOT_HOLD = 1
"""A rule or a gate did not hold."""
USAGE = 2
"""The command, or a file it was given, was wrong."""
INCONCLUSIVE = 3
"""The run says nothing: generator saturated, too few samples, target never reached."""


class UserError(Exception):
    """Raised where the user can mend it. The message says where (file, line, key), what is wrong, and what to do."""

    exit_code = USAGE


class Inconclusive(UserError):
    """Raised when a run cannot say whether the target held: it was never reached, or the run was invalid."""

    exit_code = INCONCLUSIVE

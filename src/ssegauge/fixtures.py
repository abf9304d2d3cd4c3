"""Fixtures for a team's own tests."""

sse = sse_target = None

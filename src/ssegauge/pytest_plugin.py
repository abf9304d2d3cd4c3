"""The pytest plugin: options, fixtures, outcomes."""

"""The streams, a module per topic; each has a `router`."""

"""Conformance and load testing for Server-Sent Events."""

__version__ = "0.1.0"

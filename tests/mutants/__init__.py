"""Servers that break one rule each, and a clean one that breaks none."""

"""Reusable process fragments: data only."""

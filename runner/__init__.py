"""Declarative experiments on data that does not fit in memory."""

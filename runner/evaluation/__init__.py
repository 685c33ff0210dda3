"""Exact scores over blocks that are never held together."""

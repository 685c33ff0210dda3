"""Compose one experiment file and build what it asks for."""

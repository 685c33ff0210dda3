"""Experiments as a group of options, for Hydra."""

"""The sweep of an experiment's file, and the pass that its members share, for Hydra."""

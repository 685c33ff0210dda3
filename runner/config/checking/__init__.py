"""Everything that can be wrong with a config, and where it stands."""

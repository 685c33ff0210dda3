"""Many members of one experiment: what they are, and one pass over the data for all."""

"""Learn from blocks, one after the other."""

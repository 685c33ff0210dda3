"""What may watch a fit and ask it to stop."""

"""What may be written under a ``_target_``, and the schema that follows from it."""

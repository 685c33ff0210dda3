"""A recorded run, run again from its record alone and compared with it."""

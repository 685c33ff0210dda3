"""What the command line can be told to do, a function for each verb.

Each takes the words behind the verb and returns the exit code; what is heavy is imported inside.
"""

"""The text of files: parsed within budgets, and which line set which key."""

"""Commands that are more than a verb on a kind, one module each."""

"""Verbs of devices: each one transaction, in which what is known is loaded, judged and written."""

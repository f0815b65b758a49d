"""Devices out of files: read, understood, judged and loaded in bulk."""

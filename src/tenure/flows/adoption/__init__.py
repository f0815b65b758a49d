"""Adoption: what a roll says of devices and credentials, in the registry's words."""

"""Webhooks: what happens in the registry is told to receivers outside, signed, as often as it takes."""

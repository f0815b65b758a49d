"""Findings of audits that are kept, and what people decide on them."""

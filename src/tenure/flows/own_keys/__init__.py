"""Tenure's own keys: where they lie, how they are sealed, how one follows another."""

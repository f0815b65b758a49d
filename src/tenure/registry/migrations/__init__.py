"""The schema, step by step. Each script is frozen once released: it names columns as they were then."""

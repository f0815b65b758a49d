"""REMEMBER: the transactional record of what Tenure itself governs, on SQLite or PostgreSQL."""

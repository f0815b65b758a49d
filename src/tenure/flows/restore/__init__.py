"""After a restore: is this database the latest one, what does it lack, and how that is made good."""

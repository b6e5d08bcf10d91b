"""Every port in memory, for tests and trials: the same contracts, no socket, and a record of what was asked."""

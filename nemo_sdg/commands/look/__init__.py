"""What a run holds: how far it is, its samples, where a document comes from, what differs between two runs."""

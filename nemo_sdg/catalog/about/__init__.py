"""What a task is: family, capability, kind, frame, languages, licence, and what its own metadata say of them."""

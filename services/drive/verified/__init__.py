"""Archives that are verified: manifests, what differs from them, and how it is put right."""

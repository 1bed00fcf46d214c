"""The drivers' side of the API, for mobile apps: who they are, where they can charge, and what they charge."""

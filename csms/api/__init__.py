"""The REST API, `/api/v1/`: what the network is and does, for programs."""

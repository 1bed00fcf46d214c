"""What others are told: signed calls of their addresses when something happens in a network.

An event is noted in the outbox, in the transaction in which it happened. A job makes a payload of it and a delivery for each
webhook that wants it, and sends these until they were taken, with ever longer pauses.
"""

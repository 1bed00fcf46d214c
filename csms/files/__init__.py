"""Files that stations fetch from us and send to us, over plain HTTP, at one-time addresses."""

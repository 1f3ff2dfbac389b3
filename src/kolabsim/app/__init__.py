"""The web page: controls on the left, what they change on the right."""

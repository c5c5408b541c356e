"""The drawn pictures of the sample shop."""

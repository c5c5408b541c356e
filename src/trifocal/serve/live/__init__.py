"""What changes while the service runs: items that join, change and go, users who are forgotten, bundles swapped."""

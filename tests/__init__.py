"""A package, so that the `tests` that some distribution installs does not come first."""

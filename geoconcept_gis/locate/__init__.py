"""From photos to places: reading photos, densities over the Earth, candidates and reasons."""

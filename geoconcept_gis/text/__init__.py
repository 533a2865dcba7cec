"""Words to places: phrases become directions in the shared space."""

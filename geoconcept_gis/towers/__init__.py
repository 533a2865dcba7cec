"""Towers that need large weights of their own; the bundled text tower is in `geoconcept_gis.text`."""

"""Model folders for geoconcept_gis: ``geoconcept_gis.load_model("geoconcept-small")`` finds them here."""

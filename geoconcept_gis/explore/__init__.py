"""The explorer: a local page with a world map of every concept, served to the browser or exported as a static site."""

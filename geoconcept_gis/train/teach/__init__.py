"""Teach a location encoder what another one and ground truths know of places: no photo is needed."""

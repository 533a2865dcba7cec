"""`python -m geoconcept_gis` is the `geoconcept` command."""

from .cli import main

if __name__ == "__main__":
    main()

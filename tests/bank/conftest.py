"""What the tests of the bank's build share."""

import pytest

from geoconcept_gis.bank.build import require_packages
from geoconcept_gis.bank.sources import data_folder
from geoconcept_gis.errors import GeoConceptError


@pytest.fixture(scope="session")
def data():
    """The folder of the fitting data, with the packages beside it; skips where they are not."""
    try:
        require_packages()
        return data_folder()
    except GeoConceptError as error:
        pytest.skip(f"fitting data absent: {error}")

"""The web application, over the sample corpus and over a stand-in; requests go straight into it, without a network."""

import pytest
from starlette.testclient import TestClient

from tests.ui.stand_in import StandIn
from ui.api import create_app


@pytest.fixture(scope="session")
def client(assistant):
    return TestClient(create_app(assistant))


@pytest.fixture(scope="session")
def _stand_in_application():
    stand_in = StandIn()
    return stand_in, TestClient(create_app(stand_in))


@pytest.fixture
def stand_in(_stand_in_application):
    stand_in, _ = _stand_in_application
    yield stand_in
    stand_in.failure = stand_in.late_failure = None


@pytest.fixture
def stand_in_client(_stand_in_application):
    return _stand_in_application[1]

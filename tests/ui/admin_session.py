"""The admin area over a copy of a real store, and somebody who has logged in."""

import hashlib
import html
import re
from base64 import b64encode
from pathlib import Path

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.testclient import TestClient

from rag.settings import Settings
from ui.admin.application import admin_area
from ui.admin.password import FILE
from ui.identity import identity_of
from ui.journal import Journal

PASSWORD = "ein langes Passwort"


def set_password(settings):
    """Set the password as `keep` does, with a hash that takes a thousandth of the time."""
    folder = Path(settings.data)
    folder.mkdir(parents=True, exist_ok=True)
    made = hashlib.scrypt(PASSWORD.encode(), salt=b"salt", n=16, r=1, p=1, dklen=32)
    (folder / FILE).write_text(
        "$".join(["scrypt", "4", "1", "1", *(b64encode(part).decode() for part in (b"salt", made))])
    )


def area_alone(assistant, settings):
    """Return the admin area as it is mounted, without the chat page, which takes a second to build."""
    area = admin_area(assistant, settings, identity_of(settings), Journal.of(settings))
    return Starlette(routes=[Mount("/admin", area, name="admin")])


def settings_in(folder, store, **values):
    return Settings(store=str(store), data=str(folder / "data"), **values)


class Administrator:
    """A browser of its own: keeps cookies, and sends forms as pages hold them."""

    def __init__(self, application, **headers):
        self.client = TestClient(application, headers={"Accept-Language": "de", **headers}, follow_redirects=False)

    def get(self, path, **parameters):
        return self.client.get(f"/admin{path}", params=parameters)

    def send(self, page, action, *, files=None, json=False, **fields):
        """Send the form on `page` (an answer) that goes to `action`, with its hidden fields and these."""
        form = next(
            part for part in re.findall(r"<form.*?</form>", page.text, re.DOTALL) if f'action="/admin{action}' in part
        )
        hidden = re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form)
        values = {name: html.unescape(value) for name, value in hidden} | fields
        headers = {"Accept": "application/json"} if json else {}
        return self.client.post(f"/admin{action}", data=values, files=files, headers=headers)

    def log_in(self, password=PASSWORD):
        return self.send(self.get("/login"), "/login", password=password)

    def said(self, answer):
        """Return the text of a page, or of the page that an answer leads to."""
        if answer.status_code == 303:
            answer = self.client.get(answer.headers["location"])
        return html.unescape(
            re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]+>", " ", answer.text, flags=re.DOTALL)
        )


def administration(assistant, settings):
    """Return somebody who is in."""
    set_password(settings)
    somebody = Administrator(area_alone(assistant, settings))
    assert somebody.log_in().status_code == 303
    return somebody

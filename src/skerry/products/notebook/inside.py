"""Runs where the notebook runs: JupyterLab, for requests with the gateway's key and no others.

The program is given to the sandbox's Python as it stands here, so it imports nothing of Skerry's.
"""

import hmac
import os
from typing import Any

from jupyter_server.auth.identity import IdentityProvider, User
from jupyterlab.labapp import LabApp
from tornado.web import HTTPError
from traitlets.config import Config

# Taken away, so that nothing that is started from here has it.
KEY = os.environ.pop("SKERRY_NOTEBOOK_KEY")
HOME = os.environ["SKERRY_NOTEBOOK_HOME"]
PORT = int(os.environ["SKERRY_NOTEBOOK_PORT"])
if not KEY:
    raise SystemExit("there is no key, and without one anybody could come in")


class Gateway(IdentityProvider):
    """Everybody whom the gateway has let in, as one person. No password, no token, no cookie."""

    def get_user(self, handler: Any) -> User:
        given = handler.request.headers.get("X-Skerry-Key", "")
        if not hmac.compare_digest(given.encode(), KEY.encode()):
            raise HTTPError(403, "This is reached through its own address only.")
        return User("notebook", "You", "You", "Y")

    @property
    def login_available(self) -> bool:
        return False

    @property
    def logout_available(self) -> bool:
        return False


QUIET = {
    # It asks for nothing outside by itself: there may be no network, and its versions are pinned.
    "LabApp": {
        "news_url": None,
        "check_for_updates_class": "jupyterlab.handlers.announcements.NeverCheckForUpdate",
    }
}
server = LabApp.initialize_server(
    [],
    config=Config(QUIET),
    ip="",
    port=PORT,
    port_retries=0,
    open_browser=False,
    root_dir=HOME,
    # Names and addresses before it are the gateway's, which tells them in X-Forwarded-….
    allow_remote_access=True,
    trust_xheaders=True,
    identity_provider_class=Gateway,
    # An image may make it the root of its sandbox, which is no root outside.
    allow_root=True,
    # Whoever shut it down in its menu would see it start anew.
    quit_button=False,
)
server.start()

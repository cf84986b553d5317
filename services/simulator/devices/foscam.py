"""Foscam: the HD cameras' CGI, which refuses by status 200 and XML, and the older MJPEG cameras."""

from __future__ import annotations

from services.simulator.demo import Account
from services.simulator.devices.device import Mood, Reply, Request, page, picture
from services.simulator.devices.generic import BOUNDARY, mjpeg
from services.simulator.login import basic_ok
from services.simulator.pictures import Pictures

HTML = b'<html><body><img src="../snap.jpg"/></body></html>'


class FoscamHd:
    """``/cgi-bin/CGIProxy.fcgi``."""

    name = "foscam"

    def __init__(self, account: Account, pictures: Pictures, mood: Mood = "fine") -> None:
        self.mood = mood
        self._account = account
        self._pictures = pictures

    def answer(self, request: Request) -> Reply | None:
        if request.path != "/cgi-bin/CGIProxy.fcgi":
            return None
        query = request.query
        if (query.get("usr"), query.get("pwd")) != (self._account.username, self._account.password):
            return _result(-2)
        match query.get("cmd"):
            case "snapPicture2":
                return picture(self._pictures.next())
            case "snapPicture":
                return Reply("text/html", HTML)
        return _result(-1)


def _result(number: int) -> Reply:
    text = f"<CGI_Result>\n    <result>{number}</result>\n</CGI_Result>\n"
    return Reply("text/xml", text.encode())


class FoscamMjpeg:
    """``/snapshot.cgi`` and ``/videostream.cgi``, with the login in the query or by Basic."""

    name = "foscam_mjpeg"

    def __init__(self, account: Account, pictures: Pictures, mood: Mood = "fine") -> None:
        self.mood = mood
        self._account = account
        self._pictures = pictures

    def answer(self, request: Request) -> Reply | None:
        if request.path not in ("/snapshot.cgi", "/videostream.cgi"):
            return None
        given = Account(request.query.get("user", ""), request.query.get("pwd", ""))
        if given != self._account and not basic_ok(request.authorization, self._account):
            return page("401 Unauthorized", 401, WWW_Authenticate='Basic realm="ipcamera"')
        if request.path == "/snapshot.cgi":
            return picture(self._pictures.next())
        kind = f"multipart/x-mixed-replace;boundary={BOUNDARY}"
        return Reply(kind, stream=mjpeg(self._pictures))

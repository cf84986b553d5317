"""Two hosts that share nothing but broker, database and bucket."""

from __future__ import annotations

import ftplib
import hashlib
import io
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.nursery import Forked, Nursery
from tests.support.fakes import eventually
from tests.support.moto import KEY, KEY_ID
from tests.support.pictures import jpeg, scene
from tests.support.s3rig import Pail


@pytest.mark.promise("inv I2", "inv I6")
def test_a_picture_that_one_host_took_is_filed_by_the_other(
    tmp_path: Path, postgres_url: str, amqp_url: str
):
    with closing(Pail()) as pail:
        tree = {
            "journal": {"url": postgres_url},
            "broker": {"url": amqp_url},
            "aws": {
                "endpoint": pail.peer.url,
                "access_key_id": KEY_ID,
                "secret_access_key": KEY,
            },
            "store": {"s3": {"bucket": pail.name}},
            "cameras": {"porch": {"ftp": {"password": "porch-pw"}}},
        }
        there = {"SNAPBUS__DATA": str(tmp_path / "there")}
        pictures = [jpeg(scene(64 + 16 * number, 48)) for number in range(3)]
        with (
            closing(Nursery()) as nursery,
            closing(Forked(tmp_path, tree, nursery)) as system,
        ):
            system.start("ftp", wait=False)
            system.start("detector", "drive", env=there)
            system.wait_ready("ftp")
            with ftplib.FTP() as client:
                client.connect("127.0.0.1", system.ftp_port, timeout=20)
                client.login("porch", "porch-pw")
                for number, data in enumerate(pictures):
                    client.storbinary(f"STOR {number}.jpg", io.BytesIO(data))

            def filed() -> set[str]:
                files = (tmp_path / "there" / "archive").rglob("*.jpg")
                return {hashlib.sha256(path.read_bytes()).hexdigest() for path in files}

            wanted = {hashlib.sha256(data).hexdigest() for data in pictures}
            eventually(lambda: filed() == wanted, timeout=60, message=system.log("drive"))
            here = tmp_path / "data"
            assert not list(here.rglob("store/blobs"))
            assert {key[-64:] for key in pail.held() if key.startswith("blobs/")} == wanted
            identities = {
                (folder / "store-s3" / "store.json").read_text()
                for folder in (here, tmp_path / "there")
            }
            assert len(identities) == 1

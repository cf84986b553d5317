"""Pictures that are odd but whole: they are taken as any other, or refused in words."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from shared.errors import NotAPicture
from shared.picture.decode import decode, thumbnail
from shared.picture.format import check_complete, sniff
from tests.contract.test_engines import FORMS, engine_for
from tests.support.pictures import jpeg, png, scene


def several(form: str, **options) -> bytes:
    """A file with more than one picture in it, the first one 40×30."""
    file = io.BytesIO()
    first, second = scene(40, 30), scene(40, 30).rotate(180)
    first.save(file, form, save_all=True, append_images=[second] * 3, **options)
    return file.getvalue()


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("page.html", "<script>alert(1)</script>")
    return file.getvalue()


@pytest.mark.promise("fault D8")
@pytest.mark.parametrize("size", [(1, 100_000), (100_000, 1)])
def test_a_picture_as_thin_as_can_be_goes_through_every_step(size, tmp_path):
    data = png(Image.new("RGB", size, (255, 0, 0)))
    check_complete(data)
    picture = decode(data, fit=(320, 320))
    assert (picture.width, picture.height) == size
    for number, form in enumerate(FORMS):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert engine_for(form, folder).detect(picture.pixels).detections == ()
    with Image.open(io.BytesIO(thumbnail(data, 200))) as small:
        assert sorted(small.size) == [1, 200]


@pytest.mark.promise("fault D8")
@pytest.mark.parametrize(
    ("data", "size"),
    [
        (jpeg(scene(64, 48)) + jpeg(scene(40, 30)), (64, 48)),
        (jpeg(scene(64, 48)) + archive(), (64, 48)),
        (several("PNG"), (40, 30)),
        (several("MPO"), (40, 30)),
    ],
    ids=["two JPEGs joined", "a JPEG that is an archive too", "animated PNG", "pair of JPEGs"],
)
def test_of_a_file_that_is_several_things_the_first_picture_counts(data, size):
    check_complete(data)
    picture = decode(data)
    assert (picture.width, picture.height) == size
    again = thumbnail(data, 64)
    assert b"script" not in again


@pytest.mark.promise("fault D8")
def test_what_is_something_else_first_is_refused_although_a_picture_follows():
    for data in (archive() + jpeg(), several("GIF"), b"<html>" + jpeg()):
        with pytest.raises(NotAPicture):
            sniff(data)

"""The names of older programs: every one accounted for, and told in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import ConfigError
from shared.older.files import SECRET_OF, add_to_env, quoted, write_secret
from shared.older.names import CONTAINED, NAMES, SECRET
from shared.older.report import misspelt, report
from shared.older.sources import Misread, Said, read_env, said
from shared.older.translate import camera_name, translate
from shared.settings import Settings, load

DATA = Path(__file__).parents[1] / "data/older"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "snapbus.yml").write_text("data: here\n")
    return tmp_path


def loaded(folder: Path, **environ: str) -> Settings:
    return load(folder / "snapbus.yml", environ=environ, secrets=folder / "secrets")


@pytest.mark.promise("find D10")
@pytest.mark.parametrize("name", NAMES)
def test_every_name_is_understood_replaced_or_ignored_for_a_reason(name: str) -> None:
    made = translate({name: Said("Camera", name)})

    (fate,) = [each for each in (made.understood, made.replaced, made.ignored) if name in each]
    assert fate[name]


@pytest.mark.promise("find D10")
def test_the_report_on_a_whole_older_configuration_is_this() -> None:
    env = read_env((DATA / "env").read_text())
    told = report(translate(said(env, DATA / "app.conf")))

    assert (
        told.replace(". replaced", ".\nreplaced")
        .replace(". ignored", ".\nignored")
        .replace("), ", "),\n")
        .replace("); ", ");\n")
        .splitlines()
        == (DATA / "report").read_text().splitlines()
    )
    assert "canary" not in told
    assert "pass#word" not in told


@pytest.mark.promise("feat D5", "feat D8")
def test_a_whole_older_configuration_makes_the_system_it_describes(folder: Path) -> None:
    (folder / "app.conf").write_text((DATA / "app.conf").read_text())
    settings = loaded(folder, **read_env((DATA / "env").read_text()))

    legacy = settings.legacy
    assert legacy.enabled
    assert legacy.url.get_secret_value() == "amqp://guest:guest@192.168.1.100/%2F"
    assert (legacy.exchange, legacy.topic, legacy.device_name) == (
        "home_automation", "snapshot", "snapshot-processor",
    )  # fmt: skip
    assert (str(legacy.root), legacy.upload_dir) == ("/data/ftp", "uploads/snapshots")
    assert legacy.inputs == ("front-door", "garage")
    assert legacy.outputs == ("front-door", "garage", "back-yard")
    front = settings.cameras["front-door"]
    assert (front.place, front.device_type) == ("Front Door", "Camera")
    assert front.ftp and (front.ftp.account, front.ftp.names) == ("cameras", ("frontdoor",))
    account = settings.ftp.accounts["cameras"]
    assert (account.username, account.password.get_secret_value()) == ("cameras", "ftp pass#word")
    assert settings.ftp.folders == ("snapshots/cam1", "snapshots/cam2")
    assert settings.ftp.upload_folder == "uploads/snapshots"
    assert front.fetch and front.fetch.kind == "told"
    assert front.fetch.path == Path("here/told/front-door.json")
    assert front.fetch.command == "snapPicture2"
    assert settings.detector.enabled
    assert settings.detector.person_confidence == 0.8
    assert settings.work.stop_grace_s == 8


@pytest.mark.promise("find D10")
def test_what_compose_hands_on_makes_the_same_system(folder: Path) -> None:
    env = read_env((DATA / "env").read_text())
    (folder / "app.conf").write_text((DATA / "app.conf").read_text())
    outside = loaded(folder, **env)
    write_secret(folder, "password", env["FTP_PASS"])
    (folder / "secrets/cameras").mkdir(parents=True)
    (folder / "password").rename(folder / "secrets" / SECRET_OF["FTP_PASS"])

    inside = loaded(folder, **{name: value for name, value in env.items() if name in CONTAINED})

    assert inside.model_dump() == outside.model_dump()


def test_what_the_file_says_of_a_camera_holds(folder: Path) -> None:
    (folder / "snapbus.yml").write_text(
        "cameras:\n"
        "  door: {place: front door, fetch: {url: 'http://192.0.2.1/a.jpg'}}\n"
        "  garage: {device_type: CCTV}\n"
    )
    settings = loaded(
        folder, OUTPUT_1_LOCATION="Front Door", OUTPUT_2_LOCATION="Garage", INPUT_1_LOCATION="Gate"
    )

    assert set(settings.cameras) == {"door", "garage", "gate"}
    door, garage = settings.cameras["door"], settings.cameras["garage"]
    assert door.fetch and door.fetch.kind == "url"
    assert (door.place, garage.place, garage.device_type) == ("front door", "Garage", "CCTV")
    assert settings.legacy.outputs == ("door", "garage")
    assert settings.legacy.inputs == ("gate",)


def test_our_own_variables_are_stronger_and_both_than_the_file(folder: Path) -> None:
    (folder / "snapbus.yml").write_text("legacy: {exchange: file, topic: file, device_name: file}")
    (folder / "app.conf").write_text("[rabbitmq]\ndevice_topic=conf\n")
    settings = loaded(
        folder,
        RABBITMQ_EXCHANGE="older",
        RABBITMQ_DEVICE_TOPIC="variable",
        DEVICE_NAME="older",
        SNAPBUS__LEGACY__DEVICE_NAME="ours",
    )

    legacy = settings.legacy
    assert (legacy.exchange, legacy.topic, legacy.device_name) == ("older", "conf", "ours")
    path = folder / "snapbus.yml"
    assert "legacy.topic is conf, by app.conf [rabbitmq] device_topic, and not file" in (
        settings.overrides
    ), path


@pytest.mark.promise("find D10")
@pytest.mark.parametrize(
    ("variables", "enabled"),
    [
        ({"OBJECT_DETECTION_ENABLED": "false", "FEATURE_FLAG_OBJECT_DETECTION": "true"}, False),
        ({"OBJECT_DETECTION_ENABLED": "true", "FEATURE_FLAG_OBJECT_DETECTION": "false"}, False),
        ({"OBJECT_DETECTION_ENABLED": "FALSE", "FEATURE_FLAG_LOCAL_OBJECT_DETECTION": "1"}, False),
        ({"FEATURE_FLAG_LOCAL_OBJECT_DETECTION": "no"}, False),
        ({"OBJECT_DETECTION_ENABLED": "yes", "FEATURE_FLAG_LOCAL_OBJECT_DETECTION": "1"}, True),
        ({"FEATURE_FLAG_CLOUD_OBJECT_DETECTION": "true"}, True),
    ],
)
def test_a_switch_that_is_off_wins(folder: Path, variables: dict[str, str], enabled: bool) -> None:
    (folder / "snapbus.yml").write_text("detector: {enabled: true}")
    settings = loaded(folder, **variables)

    assert settings.detector.enabled is enabled
    off = [name for name in variables if name in settings.overrides[0]]
    assert off == list(variables)


@pytest.mark.promise("feat E3")
@pytest.mark.parametrize(
    ("variables", "detector", "amazon"),
    [
        ({}, True, ""),
        ({"CLOUD": "true"}, True, "always"),
        ({"CLOUD": "true", "LOCAL": "true"}, True, "unsure"),
        ({"CLOUD": "true", "LOCAL": "false"}, False, "always"),
        ({"CLOUD": "false", "LOCAL": "true"}, True, ""),
        ({"CLOUD": "false", "LOCAL": "false"}, False, ""),
    ],
)
@pytest.mark.parametrize("master", ["", "true", "false"])
def test_the_flags_choose_engines_and_chain_them(
    folder: Path, variables: dict[str, str], detector: bool, amazon: str, master: str
) -> None:
    flags = {f"FEATURE_FLAG_{each}_OBJECT_DETECTION": on for each, on in variables.items()}
    if master:
        flags["FEATURE_FLAG_OBJECT_DETECTION"] = master
    settings = loaded(folder, **flags, AWS_DEFAULT_REGION="us-west-2", AWS_ALT_REGION="eu-west-1")

    off = master == "false"
    assert settings.detector.enabled is (detector and not off)
    rekognition = settings.rekognition
    assert (rekognition.when if rekognition.enabled else "") == ("" if off else amazon)
    assert (rekognition.region, rekognition.alternate_region) == ("us-west-2", "eu-west-1")
    if variables == {"CLOUD": "true", "LOCAL": "false"} and not off:
        assert settings.analyzers[0] == "rekognition"


@pytest.mark.parametrize(
    ("said", "confidence"), [("0.8", 0.8), ("80", 0.8), ("1", 1.0), ("0", 0.0)]
)
def test_a_confidence_may_be_a_percentage(folder: Path, said: str, confidence: float) -> None:
    settings = loaded(folder, MINIMUM_HUMAN_CONFIDENCE=said)
    assert settings.detector.person_confidence == confidence


def test_a_value_that_does_not_fit_is_refused_with_its_name(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"^environment variable MINIMUM_HUMAN_CONFIDENCE: det"):
        loaded(folder, MINIMUM_HUMAN_CONFIDENCE="high")
    (folder / "app.conf").write_text("[app]\nshutting_down_grace_secs=soon\n")
    with pytest.raises(ConfigError, match=r"^app.conf \[app\] shutting_down_grace_secs: work.stop"):
        loaded(folder)


@pytest.mark.parametrize("text", ["no section\n", "[a]\nkey\n  = canary", "[a\nb=c"])
def test_an_app_conf_that_is_none_is_refused_without_what_stands_there(
    folder: Path, text: str
) -> None:
    (folder / "app.conf").write_text(text)
    with pytest.raises(ConfigError, match=r"app.conf, line \d: is no INI file") as caught:
        loaded(folder)
    assert "canary" not in str(caught.value)


def test_an_app_conf_that_is_no_text_is_refused(folder: Path) -> None:
    (folder / "app.conf").write_bytes(b"\xff\xfe[")
    with pytest.raises(Misread, match="can't be read"):
        said({}, folder / "app.conf")


def test_a_percent_sign_of_app_conf_is_kept_and_what_is_not_set_says_nothing() -> None:
    conf = Path(__file__).parents[1] / "data/older/app.conf"
    found = said({"DEVICE_NAME": "50% of %(APP_NAME)s"}, conf)

    assert found["DEVICE_NAME"] == Said("50% of %(APP_NAME)s", "DEVICE_NAME")
    assert "INPUT_5_LOCATION" not in found


def test_the_camera_of_the_uploader_is_asked_at_its_interval(folder: Path) -> None:
    settings = loaded(
        folder, CAMERA_IP="192.168.1.30", CAMERA_PASSWORD="p@ss", CAMERA_USE_HTTPS="true",
        CAPTURE_INTERVAL="30",
    )  # fmt: skip
    fetch = settings.cameras["camera"].fetch

    assert fetch and (fetch.kind, fetch.url) == ("reolink", "https://192.168.1.30")
    assert (fetch.username, fetch.password.get_secret_value()) == ("admin", "p@ss")
    assert (fetch.every_s, fetch.verify_tls) == (30.0, False)


@pytest.mark.parametrize(
    ("place", "name"),
    [("Front Door", "front-door"), (" Tür #2 ", "tur-2"), ("Гараж", ""), ("x" * 99, "x" * 60)],
)
def test_a_place_makes_a_name(place: str, name: str) -> None:
    assert camera_name(place) == name


def test_what_is_nearly_a_name_is_told_with_what_it_may_mean() -> None:
    told = list(
        misspelt(
            ["INPUT_1_LOCATON", "RABBITMQ_EXCHANG", "SNAPBUS_PROT", "SNAPBUS_PORT", "PATH",
             "RABBITMQ_NODENAME", "SNAPBUS__API__PORT", "OUTPUT_12_TYPE", "OUTPUT"],
        )
    )  # fmt: skip

    assert told == [
        f"{name} is no variable that Snapbus knows, so it does nothing; did you mean {meant}?"
        for name, meant in (
            ("INPUT_1_LOCATON", "INPUT_1_LOCATION"),
            ("RABBITMQ_EXCHANG", "RABBITMQ_EXCHANGE"),
            ("SNAPBUS_PROT", "SNAPBUS_PORT"),
        )
    ]


def test_no_secret_is_handed_on() -> None:
    assert {"FTP_PASS", "OP_CONNECT_TOKEN", "CAMERA_PASSWORD", "DATABASE_URL"} <= SECRET
    assert not SECRET & set(CONTAINED)


@pytest.mark.parametrize(
    "value", ["plain", "with blank", 'a"b', "a'b", "$HOME", "back\\slash", "#x", "a # b", "p@:/%ä"]
)
def test_what_is_written_into_an_env_is_read_back(tmp_path: Path, value: str) -> None:
    file = tmp_path / ".env"
    file.write_text("KEPT=1\nEMPTY=\n")

    assert add_to_env(file, {"NEW": value, "KEPT": "2", "EMPTY": "3"}) == ["NEW", "EMPTY"]
    read = read_env(file.read_text())
    assert (read["NEW"], read["KEPT"], read["EMPTY"]) == (value, "1", "3")
    assert quoted("two\nlines") == '"two lines"'


def test_a_secret_is_written_once_and_again_when_it_changes(tmp_path: Path) -> None:
    assert write_secret(tmp_path, "one", "a")
    assert not write_secret(tmp_path, "one", "a")
    assert write_secret(tmp_path, "one", "b")
    assert (tmp_path / "one").read_text() == "b\n"
    assert [each.name for each in tmp_path.iterdir()] == ["one"]


def test_an_env_that_can_not_be_written_whole_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / ".env"
    file.write_text("KEPT=1\n")
    file.chmod(0o640)

    def full(*_: object) -> None:
        assert file.read_text() == "KEPT=1\n"
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as failing, pytest.raises(OSError, match="No space"):
        failing.setattr("shared.older.files.os.fsync", full)
        add_to_env(file, {"NEW": "2"})
    assert file.read_text() == "KEPT=1\n"
    assert [each.name for each in tmp_path.iterdir()] == [".env"]

    add_to_env(file, {"NEW": "2"})
    assert (file.read_text(), file.stat().st_mode & 0o777) == ("KEPT=1\nNEW=2\n", 0o640)

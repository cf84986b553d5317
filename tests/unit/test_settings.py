"""One configuration from three places; what is wrong is named with place and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.errors import ConfigError
from shared.settings import load
from shared.settings.detector import DetectorSection
from shared.settings.load import secrets_of

SECRET = "hunter2-hunter2"


@pytest.fixture
def write(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "snapbus.yml"
        path.write_text(text)
        return path

    return write


def loaded(path: Path, **environ: str):
    return load(path, environ=environ, secrets=path.parent / "secrets")


def refused(path: Path, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        loaded(path, **environ)
    assert SECRET not in str(caught.value)
    return str(caught.value)


def test_an_empty_file_is_a_whole_configuration(write):
    settings = loaded(write(""))
    assert settings.journal_url.startswith("sqlite:///")
    assert settings.broker.url.get_secret_value() == "local"


def test_the_file_that_is_shipped_changes_nothing_of_the_detector():
    shipped = loaded(Path(__file__).parents[2] / "config/snapbus.yml")
    assert shipped.detector == DetectorSection()


def test_the_environment_wins_over_the_file_and_secrets_over_both(write, tmp_path: Path):
    path = write("cameras: {porch: {ftp: {password: file}}}\ndetector: {streams: 1}")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "camera_porch_ftp_password").write_text(f"{SECRET}\n")
    (tmp_path / "secrets" / "journal_url").write_text("postgresql://a:b@c/d")
    settings = loaded(path, SNAPBUS__DETECTOR__STREAMS="2", SNAPBUS__JOURNAL__URL="other")
    assert settings.detector.streams == 2
    assert settings.cameras["porch"].ftp.password.get_secret_value() == SECRET
    assert settings.journal_url == "postgresql://a:b@c/d"


def test_the_names_that_older_programs_use_are_understood(write):
    settings = loaded(write(""), LOG_LEVEL="WARNING", OBJECT_DETECTION_ENABLED="false")
    assert settings.log.level == "warning"
    assert settings.detector.enabled is False


def test_the_master_switch_of_older_programs_is_turned_on_by_no_other_of_their_names(write):
    names = {"FEATURE_FLAG_OBJECT_DETECTION": "false", "OBJECT_DETECTION_ENABLED": "true"}
    assert loaded(write(""), **names).detector.enabled is False
    assert loaded(write(""), **names | {"FEATURE_FLAG_OBJECT_DETECTION": "true"}).detector.enabled
    assert loaded(write(""), **names, SNAPBUS__DETECTOR__ENABLED="true").detector.enabled


def test_a_default_from_the_environment_yields_to_the_file_and_to_all_others(write):
    path = write("detector: {streams: 1}\nlog:\n")
    settings = loaded(
        path,
        SNAPBUS_DEFAULT__DETECTOR__STREAMS="4",
        SNAPBUS_DEFAULT__DETECTOR__THREADS="3",
        SNAPBUS_DEFAULT__LOG__FORMAT="json",
        SNAPBUS_DEFAULT__FTP__PORT="2222",
        SNAPBUS__FTP__PORT="2323",
    )
    assert (settings.detector.streams, settings.detector.threads) == (1, 3)
    assert (settings.log.format, settings.ftp.port) == ("json", 2323)
    assert settings.overrides == ()  # nothing of the file was replaced
    said = refused(path, SNAPBUS_DEFAULT__FTP__PORT="many")
    assert "environment variable SNAPBUS_DEFAULT__FTP__PORT: ftp.port" in said


def test_what_the_environment_overrides_is_told_with_both_values_but_no_secret(write):
    path = write(
        "ftp: {port: 21, passive_ports: '1-2'}\ndetector: {streams: 1, threads: 2}\n"
        f"cameras: {{a: {{ftp: {{password: {SECRET}}}}}}}\nlog: {{sentry_dsn: {SECRET}}}"
    )
    settings = loaded(
        path,
        SNAPBUS__FTP__PORT="2121",
        SNAPBUS__DETECTOR__STREAMS="1",
        SNAPBUS__API__PORT="1234",
        SNAPBUS__CAMERAS__A__FTP__PASSWORD="other-secret",
        SNAPBUS__LOG__SENTRY_DSN="",
        LOG_LEVEL="DEBUG",
    )
    assert settings.overrides == (
        "settings of older programs: understood: LOG_LEVEL (log.level)",
        "cameras.a.ftp.password is another secret, by the variable "
        f"SNAPBUS__CAMERAS__A__FTP__PASSWORD, and not what {path} says",
        "ftp.port is 2121, by the variable SNAPBUS__FTP__PORT, and not 21",
        f"log.sentry_dsn is another secret, by the variable SNAPBUS__LOG__SENTRY_DSN, and not what"
        f" {path} says",
    )


def test_null_in_the_environment_is_nothing(write):
    path = write("cameras: {a: {fetch: {url: 'http://a', every_s: 5}}}")
    settings = loaded(path, SNAPBUS__CAMERAS__A__FETCH__EVERY_S="null")
    assert settings.cameras["a"].fetch.every_s is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("detector: {stream: 1}", ["detector.stream", "did you mean detector.streams?"]),
        ("camera: {}", ["snapbus.yml: camera", "did you mean cameras?"]),
        ("cameras: {a: {ftp: {pasword: x}}}", ["did you mean cameras.a.ftp.password?"]),
        ("archives: {nas: {policies: x}}", ["did you mean archives.nas.policy?"]),
        ("api: {oidc: {isuer: x}}", ["did you mean api.oidc.issuer?"]),
        ("api: {xylophone: 1}", ["api.xylophone", "check the spelling"]),
        ("cameras: {Front Door: {}}", ["cameras.Front Door", "lower-case"]),
        ("cameras: [porch]", ["cameras", "snapbus.schema.json"]),
        ("cameras: {a: {ftp: {password: 12345}}}", ["cameras.a.ftp.password", "in quotes"]),
        (f"cameras: {{a: {{ftp: {{password: [{SECRET}]}}}}}}", ["cameras.a.ftp.password"]),
        (f"cameras: {{a: {{fetch: {{url: 'http://u:{SECRET}@h'}}}}}}", ["into 'username'"]),
        ("api: {port: 70000}", ["api.port", "65535"]),
        ("drive: {timezone: Mars/Olympus}", ["drive.timezone", "like Europe/Berlin"]),
        ("cameras: {a: {ftp: {timezone: ../../etc/passwd}}}", ["cameras.a.ftp.timezone"]),
        ("- a\n- b", ["must be a mapping"]),
        ("a: [", ["line 1", "not valid YAML"]),
        (f"a: *{SECRET}", ["line 1", "in quotes"]),
        (f"a: !{SECRET} b", ["line 1", "in quotes"]),
    ],
)
def test_what_is_wrong_is_named_with_file_path_and_remedy(write, text: str, says: list[str]):
    message = refused(write(text))
    assert "snapbus.yml" in message
    for each in says:
        assert each in message


def test_all_mistakes_are_told_at_once(write):
    assert len(refused(write("api: {prt: 1}\nftp: {prt: 1}")).splitlines()) == 2


def test_a_mistake_in_the_environment_names_the_variable(write):
    message = refused(write(""), SNAPBUS__API__PORT=SECRET)
    assert message.startswith("environment variable SNAPBUS__API__PORT: api.port:")
    assert "cameras" in refused(write(""), SNAPBUS__CAMERAS=SECRET)
    message = refused(write(""), SNAPBUS__DETECTR__STREAMS="2")
    assert message.startswith("environment variable SNAPBUS__DETECTR__STREAMS: detectr:")


def test_a_file_that_is_missing_or_no_text_is_named(write, tmp_path: Path):
    assert "no such file" in refused(tmp_path / "other.yml")
    path = write("")
    path.write_bytes(b"\xff\xfe\x00")
    assert "not UTF-8" in refused(path)


def test_a_secret_that_can_not_be_read_is_named(write, tmp_path: Path):
    path = write("")
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "journal_url").write_bytes(b"\xff\xfe\x00")
    assert "secret file" in refused(path)


def test_a_secret_of_a_camera_may_lie_in_a_folder_of_its_own(write, tmp_path: Path):
    path = write("cameras: {porch: {ftp: {}, fetch: {url: 'http://a', password: file}}}")
    (tmp_path / "secrets" / "cameras").mkdir(parents=True)
    (tmp_path / "secrets" / "cameras" / "camera_porch_ftp_password").write_text(f"{SECRET}\n")
    porch = loaded(path).cameras["porch"]
    assert porch.ftp.password.get_secret_value() == SECRET
    assert porch.fetch.password.get_secret_value() == "file"


def test_a_secret_of_another_user_is_named_with_who_must_read_it(write, tmp_path, monkeypatch):
    path = write("cameras: {porch: {ftp: {}}}")
    (tmp_path / "secrets" / "cameras").mkdir(parents=True)
    (tmp_path / "secrets" / "cameras" / "camera_porch_ftp_password").write_text(SECRET)
    monkeypatch.setattr("os.getuid", lambda: 999)
    read_text = Path.read_text

    def refuse(self: Path, **options: str) -> str:
        if self.parent.name == "cameras":
            raise PermissionError(13, "Permission denied")
        return read_text(self, **options)

    monkeypatch.setattr(Path, "read_text", refuse)
    message = refused(path)
    assert "cameras/camera_porch_ftp_password: can't be read: Permission denied" in message
    assert "User 999 must be able to read it" in message


def test_settings_never_show_a_secret(write):
    settings = loaded(write(f"cameras: {{a: {{ftp: {{password: {SECRET}}}}}}}"))
    assert SECRET not in repr(settings) + str(settings) + settings.model_dump_json()


def test_of_an_address_only_the_password_is_secret(write):
    path = write(
        f"""
        journal: {{url: 'postgresql://snapbus:p%40ss-word@postgres/snapbus'}}
        broker: {{url: 'amqp://snapbus:{SECRET}@rabbitmq/'}}
        log: {{sentry_dsn: 'https://0123456789abcdef@sentry.example.org/1'}}
        cameras: {{a: {{ftp: {{password: abc}}}}}}
        """
    )
    found = secrets_of(loaded(path))
    assert found == {"p%40ss-word", "p@ss-word", SECRET, "0123456789abcdef"}
    assert secrets_of(loaded(write("journal: {url: 'sqlite:////a/b.db'}"))) == set()

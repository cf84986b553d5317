"""Every configuration name of the programs before Snapbus, and what becomes of it.

Names of ``app.conf`` are written as ``[section] key``; one that only repeats a variable stands in
``SAME``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

COUNT = 8
"""So many inputs and outputs the older program knew; more are understood as well."""
TRUE, FALSE = ("true", "1", "yes", "on", "y", "t"), ("false", "0", "no", "off", "n", "f")


def _fraction(text: str) -> str:
    """Rekognition's confidence is a percentage."""
    try:
        return str(float(text) / 100) if float(text) > 1 else text
    except ValueError:
        return text


def _yes(text: str) -> str:
    return {**dict.fromkeys(TRUE, "true"), **dict.fromkeys(FALSE, "false")}.get(text.lower(), text)


def _address(text: str) -> str:
    """Of their RabbitMQ, where they log in as the guest that every RabbitMQ had."""
    host = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    return f"amqp://guest:guest@{host}/%2F"


@dataclass(frozen=True, slots=True)
class Setting:
    """The path of our setting, and how the value is read."""

    path: str
    read: Callable[[str], str] = str.strip


SETTINGS: Mapping[str, Setting] = {
    "LOG_LEVEL": Setting("log.level", str.lower),
    "SYSLOG_ADDRESS": Setting("log.syslog"),
    "MINIMUM_HUMAN_CONFIDENCE": Setting("detector.person_confidence", _fraction),
    "RUN_FTP_SERVER": Setting("ftp.enabled", _yes),
    "DEVICE_NAME": Setting("legacy.device_name"),
    "RABBITMQ_DEVICE_TOPIC": Setting("legacy.topic"),
    "RABBITMQ_EXCHANGE": Setting("legacy.exchange"),
    "RABBITMQ_SERVER_ADDRESS": Setting("legacy.url", _address),
    "FTP_USER": Setting("ftp.accounts.cameras.username"),
    "FTP_PASS": Setting("ftp.accounts.cameras.password", str),
    "FTP_CREATE_DIRS": Setting("ftp.folders"),
    "FTP_UPLOAD_DIR": Setting("ftp.upload_folder"),
    "HEALTH_CHECK_PORT": Setting("api.port"),
    "DATABASE_URL": Setting("journal.url"),
    "LOCAL_STORAGE_PATH": Setting("drive.folder"),
    "AWS_DEFAULT_REGION": Setting("rekognition.region"),
    "AWS_ALT_REGION": Setting("rekognition.alternate_region"),
    "AWS_REGION": Setting("aws.region"),
    "AWS_ACCESS_KEY_ID": Setting("aws.access_key_id"),
    "AWS_SECRET_ACCESS_KEY": Setting("aws.secret_access_key"),
    "GOOGLE_DRIVE_FOLDER": Setting("drive.google.folder"),
    "[app] shutting_down_grace_secs": Setting("work.stop_grace_s"),
    "[snapshots] root_dir": Setting("legacy.root"),
    "[camera] default_image_format": Setting("legacy.image_format"),
    "[ftp] port": Setting("ftp.port"),
}
"""Names that mean just one setting of ours."""

SPOKEN = ("RABBITMQ_DEVICE_TOPIC", "RABBITMQ_EXCHANGE", "RABBITMQ_SERVER_ADDRESS")
"""Who sets one of these has programs that are spoken with: service ``legacy``."""

MASTERS = ("OBJECT_DETECTION_ENABLED", "FEATURE_FLAG_OBJECT_DETECTION")
"""Switches of all detection: one that is off wins over whatever else is on."""
LOCAL, CLOUD = "FEATURE_FLAG_LOCAL_OBJECT_DETECTION", "FEATURE_FLAG_CLOUD_OBJECT_DETECTION"
STORAGE = "FEATURE_FLAG_CLOUD_STORAGE_MANAGEMENT"
"""Whether pictures are filed in Google Drive."""
FLAGS = {
    "object-detection": "FEATURE_FLAG_OBJECT_DETECTION",
    "cloud-object-detection": CLOUD,
    "local-object-detection": LOCAL,
    "cloud-storage-management": STORAGE,
}
"""The flags that the older program kept with its credentials, and their variables."""
DETECTION = (*MASTERS, LOCAL, CLOUD)

_LOGIN = "a token snapshot_processor_creds in the data folder is taken; else `task drive:login`"
_KEYS = "the secrets aws_access_key_id and aws_secret_access_key"
_PINGS = "it is not there yet; ask /v1/health/ready, or read the metrics"
_UPLOADS = "uploading is not there yet; pictures are filed as 'drive' of snapbus.yml says"
_CREDENTIALS = "`task configure` reads it, no service does"
INSTEAD: Mapping[str, str] = {
    "GOOGLE_OAUTH_TOKEN": _LOGIN,
    "BACKUP_S3_BUCKET": "tokens are copied into the folder backup of the data folder",
    "[gdrive] creds_file": _LOGIN,
    "AWS_CONFIG_FILE": _KEYS,
    "CRONITOR_MONITOR_KEY": _PINGS,
    "HC_PING_URL": _PINGS,
    "[creds] cronitor": _PINGS,
    "[creds] sentry_dsn": "the secret sentry_dsn, which `task configure` fetches",
    "STORAGE_BACKEND": _UPLOADS,
    "S3_BUCKET": _UPLOADS,
    "S3_PREFIX": _UPLOADS,
    "HTTP_UPLOAD_URL": _UPLOADS,
    "HTTP_AUTH_TOKEN": _UPLOADS,
    "OPENAI_API_KEY": "language models are not there yet; the detector looks at pictures",
}
"""Names whose job something else of ours does, at least for now."""

_VIDEO = "there is no video, only pictures"
IGNORED: Mapping[str, str] = {
    "APP_NAME": "each service logs under its own name",
    "OP_CONNECT_HOST": _CREDENTIALS,
    "OP_CONNECT_TOKEN": _CREDENTIALS,
    "OP_VAULT": _CREDENTIALS,
    "OP_SERVICE_ACCOUNT_TOKEN": "only 1Password Connect is spoken with",
    "CREDS_USE_CONNECT_CLIENT": _CREDENTIALS,
    "CREDS_USE_SERVICE_CLIENT": _CREDENTIALS,
    "STREAM_MODE": _VIDEO,
    "OUTPUT_RTSP_URL": _VIDEO,
    "OUTPUT_DIR": _VIDEO,
    "SEGMENT_TIME": _VIDEO,
    "SERVER_URL": _VIDEO,
    "CAMERA_RTSP_PORT": _VIDEO,
}
"""Names without a job."""

COMMAND = "[camera] default_command"
MODEL = "OBJECT_DETECTION_MODEL"
ACCOUNT = "cameras"
"""The FTP account that cameras share."""
UPLOADER = ("CAMERA_IP", "CAMERA_USERNAME", "CAMERA_PASSWORD", "CAMERA_USE_HTTPS")
INTERVAL = "CAPTURE_INTERVAL"
SAME: Mapping[str, str] = {
    "[app] device_name": "DEVICE_NAME",
    "[app] cronitor_monitor_key": "CRONITOR_MONITOR_KEY",
    "[rabbitmq] server_address": "RABBITMQ_SERVER_ADDRESS",
    "[rabbitmq] mq_exchange": "RABBITMQ_EXCHANGE",
    "[rabbitmq] device_topic": "RABBITMQ_DEVICE_TOPIC",
    "[snapshots] upload_dir": "FTP_UPLOAD_DIR",
    "[snapshots] object_detection_enabled": "OBJECT_DETECTION_ENABLED",
    "[rekognition] region": "AWS_ALT_REGION",
    "[object_detection] model": MODEL,
    "[human_detection] minimum_confidence": "MINIMUM_HUMAN_CONFIDENCE",
    "[gdrive] folder": "GOOGLE_DRIVE_FOLDER",
}
"""Keys of ``app.conf`` and the variables that they repeat."""

SLOTS = tuple(
    f"{kind}_{number}_{what}"
    for kind in ("INPUT", "OUTPUT")
    for number in range(1, COUNT + 1)
    for what in ("LOCATION", "TYPE")
)
NAMES: tuple[str, ...] = tuple(
    name
    for name in dict.fromkeys(
        (*SETTINGS, *DETECTION, STORAGE, *INSTEAD, *IGNORED, MODEL, *UPLOADER, INTERVAL, *SLOTS)
    )
    if not name.startswith("[")
)
"""All of their variables."""
_SECRETS = ("PASS", "TOKEN", "SECRET", "API_KEY", "ACCESS_KEY", "MONITOR_KEY", "URL")
SECRET = frozenset(name for name in NAMES if any(word in name for word in _SECRETS))
"""Of these the ones that no container gets by its environment."""
OF_THE_HOST: Mapping[str, str] = {
    "LOCAL_STORAGE_PATH": "SNAPBUS_DATA in .env says where pictures are",
    "HEALTH_CHECK_PORT": "SNAPBUS_PORT in .env is the port of page and health",
    "SYSLOG_ADDRESS": "Docker sends the logs, where COMPOSE_FILE in .env names config/syslog.yml",
}
"""And those that would mean something else inside of one, with what counts for containers."""
CONTAINED = tuple(name for name in NAMES if name not in SECRET | OF_THE_HOST.keys())
"""What docker-compose.yml hands on."""

OURS = frozenset(
    f"SNAPBUS_{name}"
    for name in (
        "ACCOUNTS", "BIND", "BROKER_HTTPS_PORT", "BROKER_NAMES", "BROKER_PLAIN_PORT",
        "BROKER_PORT", "CONFIG", "CONFIG_FILE", "CONFIG_FOLDER", "DATA", "DETECTOR_CPUS",
        "DETECTOR_MEMORY", "DETECTOR_STREAMS", "FTP_ADDRESS", "FTP_PORT", "LEGACY", "MAIL_BIND",
        "MAIL_PORT", "MAIL_TLS_PORT", "MODELS", "MODEL_STEPS", "PORT", "PREPARED", "RABBIT_TREE",
        "REGISTRY", "SECRETS", "TEST_DATA", "VERSION", "YOLO_PYTHON",
    )
)  # fmt: skip
"""Our variables beside those of single settings: of Compose, of programs, of tests."""

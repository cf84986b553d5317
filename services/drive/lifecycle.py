"""``lifecycle``: shows the rules by which S3 moves and deletes old pictures, and applies them.

    python -m services.drive lifecycle
    python -m services.drive lifecycle --archive cloud --apply --tag-older

Rules of others stay as they are.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from services.drive.archives.archive import MANIFEST
from services.drive.archives.s3 import FILED, TAG, bucket_of
from services.drive.which import section_of
from shared.aws.bucket import Bucket
from shared.aws.errors import AwsError
from shared.errors import ConfigError
from shared.settings.load import chosen, load
from shared.settings.s3 import S3Section

FINE, WAITS, WRONG_USE = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Returns the exit status."""
    parser = argparse.ArgumentParser(prog="s3:lifecycle", description=__doc__.split("\n")[0])
    parser.add_argument("--archive", default="", help="of several: its name in the configuration")
    parser.add_argument("--config", type=Path, help="default: config/snapbus.yml")
    parser.add_argument("--apply", action="store_true", help="put the rules in force")
    parser.add_argument(
        "--tag-older", action="store_true", help="let them hold for what was filed before, too"
    )
    options = parser.parse_args(arguments)
    try:
        name, section = section_of(load(chosen(options.config)), options.archive, "s3", "S3")
        with closing(bucket_of(section)) as bucket:
            _change(bucket, name, section.s3, options)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return WRONG_USE
    except AwsError as error:
        sys.stderr.write(f"nothing more was changed: {error}\n")
        return WAITS
    return FINE


def _change(bucket: Bucket, name: str, section: S3Section, options: argparse.Namespace) -> None:
    before = bucket.rules()
    after = merged(before, wanted(name, section), name)
    _say(f"Rules of {bucket.name} at {bucket.server}, now:\n{_shown(before)}")
    if options.tag_older and section.rules.any:
        _say(f"tagged {_tag_older(bucket, section)} older pictures")
    if after == before:
        _say("They are as the configuration says.")
    elif options.apply:
        bucket.rule(after)
        _say(f"and from now on:\n{_shown(bucket.rules())}")
    else:
        _say(f"with --apply:\n{_shown(after)}")


def wanted(name: str, section: S3Section) -> list[dict[str, Any]]:
    """The rule for the archive of this name, if it has one. It finds pictures by their tag, so that
    it leaves held ones and manifests alone."""
    rules, tag = section.rules, {"Key": TAG, "Value": FILED}
    if not rules.any:
        return []
    rule: dict[str, Any] = {"ID": f"snapbus-{name}", "Status": "Enabled"}
    # S3 wants And for two conditions, and takes it for no less.
    both = {"And": {"Prefix": section.before, "Tags": [tag]}}
    rule["Filter"] = both if section.before else {"Tag": tag}
    if rules.colder_days:
        rule["Transitions"] = [{"Days": rules.colder_days, "StorageClass": rules.colder_class}]
    if rules.expire_days:
        rule["Expiration"] = {"Days": rules.expire_days}
    return [rule]


def merged(
    before: Sequence[Mapping[str, Any]], ours: Sequence[Mapping[str, Any]], name: str
) -> list[Mapping[str, Any]]:
    """All rules, with ours in the place of the ones that were ours."""
    return [*(each for each in before if each.get("ID") != f"snapbus-{name}"), *ours]


def _tag_older(bucket: Bucket, section: S3Section) -> int:
    count = 0
    for each in bucket.under(section.before):
        if not each.key.endswith(f"/{MANIFEST}") and TAG not in (tags := bucket.tags(each.key)):
            bucket.tag(each.key, {**tags, TAG: FILED})
            count += 1
    return count


def _shown(rules: Sequence[Mapping[str, Any]]) -> str:
    return json.dumps(list(rules), indent=2, sort_keys=True, default=str) if rules else "none"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")

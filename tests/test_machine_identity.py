"""Identity of the machine in a record: one user on one machine, by a salt that stays there."""

from __future__ import annotations

import json
import multiprocessing
import os
import platform

import pytest

from bench.system import machine, machine_identity


@pytest.fixture
def folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "joulebench"


def test_salt_is_random_kept_and_readable_by_its_user_alone(folder, monkeypatch):
    salt = machine_identity.machine_salt()
    assert len(bytes.fromhex(salt)) == 32 and machine_identity.machine_salt() == salt
    (file,) = folder.iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder / "other"))
    assert machine_identity.machine_salt() != salt


def test_machine_id_needs_salt_system_and_host_name(folder, monkeypatch):
    ids = [machine_identity.machine_id()]
    assert ids[0] == machine_identity.machine_id()
    monkeypatch.setattr(platform, "node", lambda: "another-host")
    ids.append(machine_identity.machine_id())
    monkeypatch.setattr(machine_identity, "MACHINE_ID_FILES", ("/nonexistent",))
    ids.append(machine_identity.machine_id())
    (folder / machine_identity.SALT_FILE).unlink()
    ids.append(machine_identity.machine_id())
    assert len({*ids}) == 4


def test_salt_is_not_in_a_record(folder):
    described = machine.describe_machine("cpu")
    assert described.machine_id == machine_identity.machine_id()
    text = json.dumps(described.model_dump(mode="json"))
    assert machine_identity.machine_salt() not in text and platform.node() not in text


def test_machine_without_a_place_for_the_salt_has_no_id(monkeypatch, tmp_path):
    occupied = tmp_path / "file"
    occupied.write_text("")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(occupied))
    assert machine_identity.machine_salt() is None and machine_identity.machine_id() is None
    assert machine.describe_machine("cpu").machine_id is None


@pytest.mark.parametrize("content", ["", "short", "z" * 64])
def test_damaged_salt_gives_no_id(folder, content):
    folder.mkdir()
    (folder / machine_identity.SALT_FILE).write_text(content)
    assert machine_identity.machine_id() is None


def test_processes_that_start_together_have_one_salt(folder):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        salts = pool.map(_salt, [str(folder.parent)] * 8)
    assert len({*salts}) == 1 and None not in salts
    assert [file.name for file in folder.iterdir()] == [machine_identity.SALT_FILE]


def _salt(base):
    os.environ["XDG_CONFIG_HOME"] = base
    return machine_identity.machine_salt()

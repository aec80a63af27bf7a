"""The embedded PostgreSQL on real binaries: where it runs, what it keeps, and that nothing is left of it."""

import os
import resource
import shutil
import signal
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from fix_processes import Stage, eventually, family, is_running

from contract.errors import ConfigError, StorageError
from storage import embedded_folders, embedded_programs
from storage.embedded import EmbeddedPostgres, _explained
from storage.server_user import ServerUser

START = "from storage.embedded import EmbeddedPostgres as E\nfrom pathlib import Path\n"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about root, who lets `nobody` run the server")


@pytest.fixture(autouse=True)
def short_open_temporary_folder(open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Everything temporary goes to a folder that MUST be empty at the end of every test."""
    assert tmp_path.exists()  # pytest's own temporary folder was chosen before ours hides it
    temporary = open_folder / "t"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    yield
    assert list(temporary.iterdir()) == []


def ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn, autocommit=True) as connection:
        answer = connection.execute(query)
        return answer.fetchone() if answer.description else None


def folder_of(server: EmbeddedPostgres) -> Path:
    return Path(str(psycopg.conninfo.conninfo_to_dict(server.dsn)["host"]))


def test_temporary_server_is_private_and_vanishes() -> None:
    with EmbeddedPostgres.start() as server:
        folder = folder_of(server)
        assert ask(server.dsn, "SHOW listen_addresses") == ("",)
        assert ask(server.dsn, "SELECT current_setting('fsync'), current_setting('synchronous_commit')") == ("on", "on")
        assert ask(server.dsn, "SELECT '机时' COLLATE \"C\", current_setting('server_encoding')") == ("机时", "UTF8")
        assert ask(server.dsn, "SHOW timezone") == ("UTC",)
        assert ask(server.dsn, "SHOW server_version") == (server.version,)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert Path(f"/proc/{server.server.pid}").stat().st_uid == ServerUser.here().uid != 0
        running = family(server.server.pid)
    assert not any(map(is_running, running))
    assert not folder.exists()


def test_durability_is_off_only_on_demand() -> None:
    with EmbeddedPostgres.start(durable=False) as server:
        assert ask(server.dsn, "SHOW fsync") == ("off",)


def test_environment_steers_neither_server_nor_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"PGDATA": "/nonexistent", "PGPORT": "1", "PGHOST": "nowhere", "LC_ALL": "no_SUCH"}.items():
        monkeypatch.setenv(name, value)
    with EmbeddedPostgres.start(durable=False) as server:
        assert ask(server.dsn, "SELECT 1") == (1,)


def test_killed_starter_leaves_nothing(stage: Stage) -> None:
    starter = stage.start(f"{START}server = E.start(durable=False)\nprint(server.server.pid)")
    postmaster = int(starter.words()[0])
    relatives = family(starter.pid)
    assert postmaster in relatives
    assert len(family(postmaster)) > 1
    starter.kill()
    assert eventually(lambda: not any(map(is_running, relatives)))
    assert eventually(lambda: list(stage.folder.glob("jishi-*")) == [])


def test_starter_killed_during_initialisation_leaves_nothing(stage: Stage) -> None:
    starter = stage.start(f"{START}server = E.start()")
    assert eventually(lambda: list(stage.folder.glob("jishi-*/cluster.new/base")) != [])
    relatives = family(starter.pid)
    assert len(relatives) > 2
    starter.kill()
    assert eventually(lambda: not any(map(is_running, relatives)))
    assert eventually(lambda: list(stage.folder.glob("jishi-*")) == [])


def test_data_folder_survives_stop_and_start(open_folder: Path) -> None:
    with EmbeddedPostgres.start(open_folder / "data") as server:
        ask(server.dsn, "CREATE TABLE kept AS SELECT 42 AS n")
    with EmbeddedPostgres.start(open_folder / "data") as server:
        assert ask(server.dsn, "SELECT n FROM kept") == (42,)


def test_second_starter_of_a_data_folder_is_refused(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_folders, "_RELEASE_S", 0.1)
    with EmbeddedPostgres.start(open_folder / "data", durable=False) as server:
        with pytest.raises(ConfigError, match="data is in use: stop the server that runs there"):
            EmbeddedPostgres.start(open_folder / "data")
        assert ask(server.dsn, "SELECT 1") == (1,)


def test_committed_data_survives_a_killed_server(open_folder: Path) -> None:
    with EmbeddedPostgres.start(open_folder / "data") as server:
        ask(server.dsn, "CREATE TABLE kept AS SELECT 42 AS n")
        os.kill(server.server.pid, signal.SIGKILL)
        assert server.server.wait(60) == 128 + signal.SIGKILL
        assert not folder_of(server).exists()
    with EmbeddedPostgres.start(open_folder / "data") as server:
        assert ask(server.dsn, "SELECT n FROM kept") == (42,)


def test_starter_killed_and_at_once_started_again_finds_its_data(stage: Stage) -> None:
    first = stage.start(f"{START}server = E.start(Path('data'))\nprint(server.dsn)")
    ask(first.words()[0], "CREATE TABLE kept AS SELECT 42 AS n")
    first.kill()
    second = stage.start(f"{START}server = E.start(Path('data'))\nprint(server.dsn)")
    assert ask(second.words()[0], "SELECT n FROM kept") == (42,)
    relatives = family(second.pid)
    second.kill()
    assert eventually(lambda: not any(map(is_running, relatives)))


def test_initialisation_that_was_cut_off_is_begun_anew(open_folder: Path) -> None:
    half = open_folder / "data" / "cluster.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n", "utf-8")
    user = ServerUser.here()
    for path in (open_folder / "data", half, half / "PG_VERSION"):
        user.give(path)
    with EmbeddedPostgres.start(open_folder / "data", durable=False) as server:
        assert ask(server.dsn, "SELECT 1") == (1,)
    assert not half.exists()


@as_root
def test_programs_below_a_closed_folder_are_copied_for_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "closed" / "site"
    package = embedded_programs.installed().parent
    shutil.copytree(package / "pginstall18", site / package.name / "pginstall18")
    shutil.copytree(package.parent / f"{package.name}.libs", site / f"{package.name}.libs")
    (tmp_path / "closed").chmod(0o700)
    monkeypatch.syspath_prepend(site)
    (site / package.name / "__init__.py").touch()
    assert embedded_programs.installed().is_relative_to(site)
    with EmbeddedPostgres.start(durable=False) as server:
        assert ask(server.dsn, "SELECT 1") == (1,)
        program = Path(f"/proc/{server.server.pid}/exe").readlink()
        assert program.is_relative_to(folder_of(server))


@as_root
def test_data_folder_out_of_the_servers_reach_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(ConfigError, match=r"the server runs as nobody, who cannot reach .*/data: choose a folder"):
        EmbeddedPostgres.start(tmp_path / "data")


def test_data_folder_of_someone_else_is_refused() -> None:
    with pytest.raises(ConfigError, match="data_dir: /proc belongs to user id 0, not to"):
        EmbeddedPostgres.start(Path("/proc"))


def test_data_of_another_major_version_is_refused(open_folder: Path) -> None:
    cluster = open_folder / "data" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n", "utf-8")
    ServerUser.here().give(open_folder / "data")
    with pytest.raises(ConfigError, match="holds data of PostgreSQL 17, and this is 18: dump it"):
        EmbeddedPostgres.start(open_folder / "data")


def test_missing_programs_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_programs, "_PACKAGE", "no_such_package")
    with pytest.raises(ConfigError, match=r"install jishi\[demo\], or give the DSN"):
        EmbeddedPostgres.start()


def test_long_temporary_folder_gives_way_to_a_short_one(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    long = open_folder / ("x" * 100)
    long.mkdir()
    short = open_folder / "t"
    monkeypatch.setattr(tempfile, "tempdir", str(long))
    monkeypatch.setattr(embedded_folders, "_LAST_RESORT", short)
    with EmbeddedPostgres.start(durable=False) as server:
        assert folder_of(server).parent == short
        assert ask(server.dsn, "SELECT 1") == (1,)
    monkeypatch.setattr(embedded_folders, "_LAST_RESORT", long)
    with pytest.raises(StorageError, match="no folder for PostgreSQL's socket: set TMPDIR to a short name"):
        EmbeddedPostgres.start()


@as_root
def test_closed_temporary_folder_gives_way_to_an_open_one(
    open_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tmp_path.chmod(0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(embedded_folders, "_SOCKET_PATH_BYTES", 1000)
    monkeypatch.setattr(embedded_folders, "_LAST_RESORT", open_folder / "t")
    with EmbeddedPostgres.start(durable=False) as server:
        assert folder_of(server).parent == open_folder / "t"


def test_longest_socket_path_that_is_let_through_works(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = embedded_folders._SOCKET_PATH_BYTES - len(str(open_folder / "t" / "x" / embedded_folders._SOCKET)) + 1
    exact = open_folder / "t" / ("x" * room)
    exact.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(exact))
    with EmbeddedPostgres.start(durable=False) as server:
        assert folder_of(server).parent == exact
        assert len(str(folder_of(server) / ".s.PGSQL.5432")) == embedded_folders._SOCKET_PATH_BYTES
        assert ask(server.dsn, "SELECT 1") == (1,)
    exact.rmdir()


def test_failed_initialisation_shows_postgresqls_own_words() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
    try:
        with pytest.raises(StorageError, match=r"(?s)did not start in .*; its log ends:\n.*initdb: removing"):
            EmbeddedPostgres.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))


@pytest.fixture
def small_disk(open_folder: Path) -> Iterator[Path]:
    """A file system of 64 KB: initdb fails before its server starts, whose abort would leave a SysV segment behind."""
    place = open_folder / "small"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k,mode=0755", "none", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a full disk needs the right to mount one: run as root outside a container")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_full_disk_is_named(small_disk: Path) -> None:
    with pytest.raises(StorageError, match=r"the disk is full: PostgreSQL needs 100 MB of free space in .*/small/data"):
        EmbeddedPostgres.start(small_disk / "data")


def test_disk_that_is_full_later_is_named(open_folder: Path) -> None:
    recorded = b"""FATAL:  could not extend file "base/1/2691": wrote only 4096 of 8192 bytes at block 10
HINT:  Check free disk space."""
    assert _explained(open_folder, recorded).startswith("the disk is full: ")
    assert not _explained(open_folder, b"FATAL:  something else").startswith("the disk is full: ")


def test_no_temporary_folder_at_all_is_named(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(open_folder / "gone"))
    monkeypatch.setattr(embedded_folders, "_LAST_RESORT", open_folder / "gone")
    with pytest.raises(StorageError, match="set TMPDIR to"):
        EmbeddedPostgres.start()

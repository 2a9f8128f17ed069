"""Our own server: shared, durable, restarted after crashes, for root and ordinary users alike."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mapservice.cluster import Cluster, connected
from mapservice.config import Settings
from mapservice.errors import ConfigurationError, UnavailableError
from mapservice.postgres import installations
from tests.conftest import ROOT

# Durable servers on purpose: what is tested here is what users get. Migrations are tested elsewhere.
HOLD = """
import signal, sys, time
from pathlib import Path
from mapservice.cluster import Cluster
# Tests that run in the background of a shell are deaf to it, and so is what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)
with Cluster(Path(sys.argv[1]), lambda line: None).used("mapservice import", migrate=False) as urls:
    print("running", flush=True)
    time.sleep(float(sys.argv[2]))
"""


def quiet(state: Path) -> Cluster:
    return Cluster(state, lambda line: None)


def make_folder() -> Path:
    # In memory where possible: fsync stays on, as users have it, and costs nothing.
    memory = Path("/dev/shm")
    parent = memory if os.access(memory, os.W_OK) else None
    folder = Path(tempfile.mkdtemp(prefix="mapservice karte ", dir=parent))
    folder.chmod(0o755)
    return folder


def remove(folder: Path, cluster: Cluster) -> None:
    home = cluster.server.home
    cluster.server.stop()
    shutil.rmtree(folder)
    if home.exists():
        shutil.rmtree(home)


@pytest.fixture
def empty() -> Iterator[Path]:
    """A state folder that is yet to be made."""
    folder = make_folder()
    yield folder / "zu stand"
    remove(folder, Cluster(folder / "zu stand"))


@pytest.fixture(scope="module")
def prepared() -> Iterator[Path]:
    """A state folder with an initialised server, stopped, to copy from: initdb takes its time."""
    folder = make_folder()
    with quiet(folder / "zu stand").used("mapservice", migrate=False):
        pass
    yield folder / "zu stand"
    remove(folder, Cluster(folder / "zu stand"))


@pytest.fixture
def state(empty: Path, prepared: Path) -> Path:
    """A state folder with an initialised server, stopped."""
    subprocess.run(["cp", "-a", str(prepared), str(empty)], check=True)
    return empty


def hold(state: Path, seconds: float = 60, prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    """Another process that uses the server."""
    process = subprocess.Popen(
        [*prefix, sys.executable, "-c", HOLD, str(state), str(seconds)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "running\n"
    return process


def answers(cluster: Cluster) -> bool:
    try:
        with cluster.server.connect() as connection:
            return connection.execute("SELECT 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def test_set_up_in_a_folder_with_a_space_and_stopped_at_the_end(empty: Path) -> None:
    said: list[str] = []
    with connected(Settings(state_dir=empty), say=said.append) as urls:
        assert urls.owner is not None
        with psycopg.connect(urls.owner.replace("+psycopg", "")) as connection:
            durable = connection.execute("SHOW fsync").fetchone()
            listens = connection.execute("SHOW listen_addresses").fetchone()
            version = connection.execute("SELECT postgis_lib_version()").fetchone()
        assert durable == ("on",)
        assert listens == ("",)
        assert version is not None
        socket_dir = quiet(empty).server.socket_dir
        assert socket_dir.stat().st_mode & 0o777 == 0o700
    assert quiet(empty).server.pid() is None
    assert any("angelegt" in line for line in said)
    # The second time nothing is set up, and it is quick.
    said.clear()
    started = time.monotonic()
    with connected(Settings(state_dir=empty), say=said.append):
        assert time.monotonic() - started < 3
    assert said == []


def test_data_survive_killing_the_server_and_its_user(state: Path) -> None:
    holder = hold(state)
    cluster = quiet(state)
    owner = cluster.urls().owner
    assert owner is not None
    with psycopg.connect(owner.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept VALUES (42)")
    pid = cluster.server.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    holder.kill()
    holder.wait()
    with (
        cluster.used("mapservice", migrate=False),
        psycopg.connect(owner.replace("+psycopg", "")) as connection,
    ):
        assert connection.execute("SELECT n FROM kept").fetchone() == (42,)
    assert cluster.server.pid() is None


def test_last_user_stops_it_and_a_killed_one_does_not_count(state: Path) -> None:
    first, second = hold(state), hold(state, 0.5)
    cluster = quiet(state)
    with cluster.locked():
        assert sorted(user.pid for user in cluster.users()) == sorted([first.pid, second.pid])
    assert second.wait() == 0
    assert answers(cluster)
    first.kill()
    first.wait()
    # The killed user left the server running; the next one leaves nothing.
    with cluster.used("mapservice", migrate=False):
        with cluster.locked():
            assert cluster.users() == []
        assert answers(cluster)
    assert cluster.server.pid() is None


def test_ctrl_c_in_a_terminal_does_not_reach_the_server(state: Path) -> None:
    holder = hold(state)
    cluster = quiet(state)
    with cluster.used("mapservice", migrate=False):
        os.killpg(holder.pid, signal.SIGINT)
        holder.wait()
        time.sleep(0.2)
        assert answers(cluster)


def test_number_of_another_process_in_the_pid_file(state: Path) -> None:
    cluster = quiet(state)
    with cluster.used("mapservice", migrate=False):
        pid_file = cluster.server.data / "postmaster.pid"
        content = pid_file.read_text()
        pid = cluster.server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        while answers(cluster):
            time.sleep(0.05)
        # As after a reboot: the number belongs to something else by now.
        pid_file.write_text(content.replace(str(pid), str(os.getpid()), 1))
        assert cluster.server.pid() is None
        cluster.server.start()
        assert answers(cluster)


def test_server_that_dies_is_started_again_while_a_service_runs(state: Path) -> None:
    said: list[str] = []
    cluster = Cluster(state, said.append)
    with cluster.used("mapservice serve", brief=False, migrate=False), cluster.kept_alive(0.1):
        pid = cluster.server.pid()
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while not (cluster.server.pid() not in (None, pid) and answers(cluster)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert any("neu gestartet" in line for line in said)
    assert cluster.server.pid() is None


def test_two_state_folders_side_by_side(state: Path) -> None:
    subprocess.run(["cp", "-a", str(state), str(state.with_name("zweiter"))], check=True)
    one, two = quiet(state), quiet(state.with_name("zweiter"))
    with one.used("mapservice", migrate=False), two.used("mapservice", migrate=False):
        assert one.server.pid() != two.server.pid()
        assert answers(one)
        assert answers(two)
    assert one.server.pid() is None
    assert two.server.pid() is None


def test_service_says_which_import_it_waits_for(state: Path) -> None:
    said: list[str] = []
    cluster = Cluster(state, said.append)
    with cluster.used("mapservice serve", brief=False, migrate=False):
        holder = hold(state, 1)
        cluster.wait_for_brief_users()
        assert holder.wait(5) == 0
    assert [line for line in said if "mapservice import" in line and str(holder.pid) in line]


def test_long_path_gets_a_socket_elsewhere(state: Path) -> None:
    cluster = quiet(state.rename(state.parent / ("x" * 90)))
    assert not cluster.server.socket_dir.is_relative_to(state.parent)
    with cluster.used("mapservice", migrate=False):
        assert answers(cluster)
        assert cluster.server.socket_dir.stat().st_mode & 0o077 == 0
    cluster.server.socket_dir.rmdir()


def test_socket_folder_of_somebody_else_is_refused(state: Path) -> None:
    cluster = quiet(state.rename(state.parent / ("y" * 90)))
    cluster.server.socket_dir.mkdir(mode=0o777)
    cluster.server.socket_dir.chmod(0o777)
    try:
        with (
            pytest.raises(ConfigurationError, match="für andere offen"),
            cluster.used("mapservice", migrate=False),
        ):
            pass
    finally:
        cluster.server.socket_dir.rmdir()


def test_data_of_another_major_version_are_refused_and_left_alone(state: Path) -> None:
    cluster = quiet(state)
    version = cluster.server.data / "PG_VERSION"
    version.write_text("9\n")
    with pytest.raises(ConfigurationError) as refused, cluster.used("mapservice", migrate=False):
        pass
    assert "PostgreSQL 9" in refused.value.message
    assert "database dump" in refused.value.message
    version.write_text(f"{installations()[0].major}\n")
    with cluster.used("mapservice", migrate=False):
        assert answers(cluster)


def test_killed_set_up_is_done_again(empty: Path, prepared: Path) -> None:
    cluster = quiet(empty)
    empty.mkdir()
    subprocess.run(["cp", "-a", str(prepared / "postgres"), str(empty)], check=True)
    cluster.server.data.rename(cluster.server.home / "data.new")
    with cluster.used("mapservice", migrate=False), cluster.server.connect() as connection:
        connection.execute(b"ALTER DATABASE mapservice RENAME TO mapservice_new")
    with cluster.used("mapservice", migrate=False):
        assert cluster.server.connect("mapservice").execute("SELECT postgis_lib_version()").fetchone()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
class TestAsRoot:
    def test_ordinary_user_has_one_of_their_own(self, empty: Path) -> None:
        nobody = pwd.getpwnam("nobody")
        folder = empty.parent / "nutzer"
        folder.mkdir()
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        become = ("setpriv", f"--reuid={nobody.pw_uid}", f"--regid={nobody.pw_gid}", "--clear-groups")
        if subprocess.run([*become, sys.executable, "-c", "import mapservice"], cwd=ROOT).returncode:
            pytest.skip("an ordinary user cannot reach this checkout's Python")
        holder = hold(folder / "zu stand", 30, become)
        cluster = quiet(folder / "zu stand")
        assert cluster.server.data.stat().st_uid == nobody.pw_uid
        pid = cluster.server.pid()
        assert pid is not None
        assert Path(f"/proc/{pid}").stat().st_uid == nobody.pw_uid
        # root may share it; it goes on running as its owner.
        with cluster.used("mapservice", migrate=False):
            assert answers(cluster)
        holder.terminate()
        holder.wait()
        with cluster.used("mapservice", migrate=False):
            assert Path(f"/proc/{cluster.server.pid()}").stat().st_uid == nobody.pw_uid
        assert cluster.server.pid() is None

    def test_ordinary_user_is_refused_in_the_folder_of_root(self, state: Path) -> None:
        result = subprocess.run(
            [
                *("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"),
                *(sys.executable, "-m", "mapservice", "database", "status"),
            ],
            env={"MAPSERVICE_STATE_DIR": str(state), "PATH": os.environ["PATH"]},
            cwd=ROOT,
            capture_output=True,
            text=True,
        )
        if "No module named" in result.stderr or "Permission denied" in result.stderr.split("Fehler")[0]:
            pytest.skip("an ordinary user cannot reach this checkout's Python")
        assert result.returncode == 1
        assert "kann dieser Benutzer nicht schreiben" in result.stderr
        assert "Traceback" not in result.stderr

    def test_folder_that_the_server_user_cannot_reach(self, empty: Path) -> None:
        empty.parent.chmod(0o700)
        cluster = quiet(empty)
        with cluster.used("mapservice", migrate=False):
            assert answers(cluster)
        assert cluster.server.pid() is None
        with cluster.used("mapservice", migrate=False):
            assert answers(cluster)


def test_database_that_does_not_answer_is_named_without_password() -> None:
    url = "postgresql+psycopg://karte_public:geheim@127.0.0.1:1/karte"
    with (
        pytest.raises(UnavailableError) as refused,
        connected(Settings(public_database_url=url)),
    ):
        pass
    assert "MAPSERVICE_PUBLIC_DATABASE_URL" in refused.value.message
    assert "geheim" not in refused.value.message


def test_public_login_is_demanded() -> None:
    url = "postgresql+psycopg://karte_owner@127.0.0.1:1/karte"
    with (
        pytest.raises(ConfigurationError, match="PUBLIC_DATABASE_URL fehlt"),
        connected(Settings(database_url=url)),
    ):
        pass

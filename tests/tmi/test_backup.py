"""A backup is everything at one moment; restored elsewhere it is the same, to the last row."""

from __future__ import annotations

import json
import os
import stat
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, connections

from tests.schema.catalog import our_tables
from tests.schema.rows import Rows
from tests.schema.test_migrations import LIBRARY_ROWS
from tests.tmi.instance import Instance, until
from tests.tools.databases import Server
from tmi.backup import ArchiveError, load, save

pytestmark = pytest.mark.xdist_group("backup")

TABLES = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1
"""
STRUCTURE = """
SELECT conrelid::regclass || ' ' || conname || pg_get_constraintdef(oid) || convalidated FROM pg_constraint
UNION ALL SELECT pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
"""
# One model as rich as the demo's, so many times: each row of it with new ids.
COPIES = 10_000
OTHER_ID = "('0190' || lpad(to_hex(n), 8, '0') || substr(md5({id}::text), 1, 20))::uuid"


class Place:
    """A database, under a name of its own among Django's connections."""

    def __init__(self, host: str, name: str) -> None:
        self.where = {"host": host, "user": "tmi", "dbname": name}
        self.alias = name
        connections.databases[name] = {**connections.databases["default"], "NAME": name}

    def asked(self, query: str) -> list[Any]:
        with psycopg.connect(**self.where, autocommit=True) as opened:
            return [row[0] for row in opened.execute(query).fetchall()]  # type: ignore[arg-type]

    def rows(self) -> dict[str, list[str]]:
        """Every row of every table, as PostgreSQL shows it."""
        return {
            table: self.asked(f'SELECT t::text FROM "{table}" t ORDER BY 1') for table in self.asked(TABLES)
        }

    def structure(self) -> set[str]:
        return set(self.asked(STRUCTURE))

    def backup(self, path: Path) -> Path:
        try:
            save(path, using=self.alias)
        finally:
            connections[self.alias].close()
        return path

    def restore(self, path: Path, **options: Any) -> None:
        try:
            load(path, using=self.alias, **options)
        finally:
            connections[self.alias].close()

    def refusal(self, path: Path) -> str:
        """What a restore says that is not made."""
        with pytest.raises(ArchiveError) as caught:
            self.restore(path)
        said = str(caught.value)
        assert "\n" not in said
        return said

    def command(self, *arguments: str) -> str:
        """A command of an embedded instance with this database; what it prints."""
        instance = Instance(Path(os.environ["TMI_DATA_DIR"]), TMI_DATABASE_POSTGRES_DATABASE=self.alias)
        done = instance.manage(*arguments)
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def server(django_db_setup: None, django_db_blocker: Any) -> Iterator[Server]:
    with django_db_blocker.unblock():
        connection.close()  # a database that somebody uses is no template
    made = Server(str(connection.settings_dict["HOST"]), str(connection.settings_dict["NAME"]))
    with django_db_blocker.unblock():
        yield made
    for name in made.made:
        made.drop(name)


@pytest.fixture(scope="module")
def unused(server: Server) -> str:
    """A database with all tables and no more rows than migrations make."""
    name = server.database("unused", server.base)
    with psycopg.connect(host=server.host, user="tmi", dbname=name) as opened:
        found = {row[0] for row in opened.execute(TABLES).fetchall()}  # type: ignore[arg-type]
        used = found - {"django_migrations", "django_content_type", "auth_permission", "groups"}
        # Users are named by groups alone through their members, which go as well.
        opened.execute(f"TRUNCATE {', '.join(used)}")  # type: ignore[arg-type]
    return name


@pytest.fixture(scope="module")
def here(server: Server, unused: str) -> Place:
    """An instance with a row in every table."""
    place = Place(server.host, server.database("source", unused))
    with psycopg.connect(**place.where) as opened, opened.cursor() as cursor:
        rows = Rows(cursor)
        for table in sorted(our_tables()):
            rows.add(table)
        for table, row in LIBRARY_ROWS.items():
            cursor.execute(f"INSERT INTO {table} {row}")  # type: ignore[arg-type]
        # What COPY has to escape.
        cursor.execute("UPDATE notes SET content = %s", ["tab\there\nline\\.\n\\N \x01 ä 🦊"])
    return place


@pytest.fixture
def elsewhere(server: Server, unused: str) -> Iterator[Place]:
    """An instance that nobody has used."""
    place = Place(server.host, server.database("elsewhere", unused))
    yield place
    server.drop(place.alias)


@pytest.fixture(scope="module")
def archive(here: Place, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return here.backup(tmp_path_factory.mktemp("archive") / "all.tmi")


def test_every_row_of_an_embedded_instance_comes_back_on_a_server(
    archive: Path, here: Place, elsewhere: Place
) -> None:
    elsewhere.restore(archive)
    before, after = here.rows(), elsewhere.rows()
    assert all(before.values()), "a table without a row proves nothing"
    assert after == before
    assert elsewhere.structure() == here.structure()
    # What is made next has a number of its own.
    for table in ("django_admin_log", "account_emailaddress"):
        [free] = elsewhere.asked(f"SELECT nextval(pg_get_serial_sequence('{table}', 'id'))")
        assert free > max(elsewhere.asked(f"SELECT id FROM {table}"))


def test_an_archive_holds_one_moment_while_people_work(
    server: Server, unused: str, elsewhere: Place, tmp_path: Path
) -> None:
    """Rows of two tables are written together; none is in the archive without the other."""
    busy = Place(server.host, server.database("busy", unused))
    over = threading.Event()
    written = 0

    def work() -> None:
        nonlocal written
        with psycopg.connect(**busy.where) as opened, opened.cursor() as cursor:
            rows = Rows(cursor)
            while not over.is_set():
                rows.add("rule_packs", key=f"moment-{written}")
                rows.add("audit_entries", action=f"moment-{written}")
                opened.commit()
                written += 1

    worker = threading.Thread(target=work)
    worker.start()
    try:
        until(lambda: written > 20, 120)
        archive = busy.backup(tmp_path / "a.tmi")
    finally:
        over.set()
        worker.join()
    elsewhere.restore(archive)
    packs = elsewhere.asked("SELECT key FROM rule_packs WHERE key LIKE 'moment-%'")
    entries = elsewhere.asked("SELECT action FROM audit_entries WHERE action LIKE 'moment-%'")
    assert sorted(packs) == sorted(entries)
    assert 0 < len(packs) < written


def test_the_commands_take_an_embedded_instance_to_another_database(
    server: Server, unused: str, here: Place, tmp_path: Path
) -> None:
    there = Place(server.host, server.database("commanded", unused))
    said = here.command("backup", str(tmp_path / "c.tmi"))
    assert "rows of" in said
    assert "auth.encryption_keys" in said
    assert "restored" in there.command("restore", str(tmp_path / "c.tmi"))
    assert there.rows() == here.rows()
    refused = there.command("restore", str(tmp_path / "c.tmi"))
    assert refused.startswith("CommandError: this instance is not empty")
    assert refused.count("\n") == 1


def test_an_instance_that_somebody_uses_is_left_alone(archive: Path, here: Place) -> None:
    before = here.rows()
    assert "this instance is not empty" in here.refusal(archive)
    assert here.rows() == before


def damaged(archive: Path, into: Path, table: str, change: Any) -> Path:
    """A copy of an archive whose rows of one table are others, and whose ZIP is sound."""
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(into, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, change(data) if name == f"tables/{table}" else data)
    return into


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data + data[: data.index(b"\n") + 1], "the database: duplicate key"),
        (lambda data: data[data.index(b"\n") + 1 :], "threats is damaged"),
        (lambda data: data.replace(b"TH", b"th").replace(b"e", b"E", 1), ""),
    ],
    ids=["a row twice", "a row less", "other letters"],
)
def test_nothing_is_stored_of_a_damaged_archive(
    archive: Path, tmp_path: Path, elsewhere: Place, change: Any, said: str
) -> None:
    broken = damaged(archive, tmp_path / "b.tmi", "threats", change)
    assert said in elsewhere.refusal(broken)
    assert elsewhere.rows()["users"] == []
    elsewhere.restore(archive)  # it is empty still


def test_files_that_are_no_backup_are_named(archive: Path, tmp_path: Path, elsewhere: Place) -> None:
    (tmp_path / "cut.tmi").write_bytes(archive.read_bytes()[:-2000])
    (tmp_path / "text.tmi").write_text("hello")
    for name, said in (
        ("cut.tmi", "no backup of TMI"),
        ("text.tmi", "no backup of TMI"),
        ("none.tmi", "No such file"),
    ):
        refusal = elsewhere.refusal(tmp_path / name)
        assert refusal.startswith(f"{tmp_path / name}: ")
        assert said in refusal


def test_an_archive_of_a_newer_version_is_refused(archive: Path, tmp_path: Path, elsewhere: Place) -> None:
    with zipfile.ZipFile(archive) as old:
        manifest = json.loads(old.read("manifest.json"))
        manifest["migrations"].append(["threatmodels", "9999_of_tomorrow"])
        with zipfile.ZipFile(tmp_path / "n.tmi", "w") as new:
            new.writestr("manifest.json", json.dumps(manifest))
    refusal = elsewhere.refusal(tmp_path / "n.tmi")
    assert "a newer version of TMI: migration threatmodels.9999_of_tomorrow" in refusal


def test_an_archive_of_an_older_version_is_brought_up_to_date(
    server: Server, unused: str, here: Place, elsewhere: Place, tmp_path: Path
) -> None:
    """Made where the last migration of diagrams had not been applied."""
    older = Place(server.host, server.database("older", unused))
    call_command("migrate", "threatmodels", "0003", database=older.alias, verbosity=0)
    with psycopg.connect(**older.where) as opened:
        Rows(opened.cursor()).add("threats")
    elsewhere.restore(older.backup(tmp_path / "o.tmi"))
    assert elsewhere.rows()["threats"] == older.rows()["threats"] != []
    assert elsewhere.structure() == here.structure()


def test_an_archive_is_restored_where_there_is_no_table_at_all(
    server: Server, archive: Path, here: Place
) -> None:
    nothing = Place(server.host, server.database("nothing"))
    nothing.restore(archive)
    assert nothing.rows() == here.rows()
    assert nothing.structure() == here.structure()


def test_without_its_keys_an_archive_is_read_only_when_that_is_asked_for(
    archive: Path, elsewhere: Place, settings: Any
) -> None:
    settings.ENCRYPTION_KEYS = ["A" * 43 + "="]
    assert elsewhere.refusal(archive).startswith("auth.encryption_keys: ")
    elsewhere.restore(archive, without_keys=True)


def test_a_backup_is_for_its_owner_and_overwrites_nothing(archive: Path, here: Place) -> None:
    assert stat.S_IMODE(archive.stat().st_mode) == 0o600
    before = archive.read_bytes()
    for path, said in ((archive, "is there already"), (Path("/nonexistent/a.tmi"), "/nonexistent")):
        with pytest.raises(ArchiveError, match=said):
            here.backup(path)
    assert archive.read_bytes() == before
    assert [path.name for path in archive.parent.iterdir()] == [archive.name]


def test_an_empty_database_is_not_backed_up(server: Server, tmp_path: Path) -> None:
    nothing = Place(server.host, server.database("nothing"))
    with pytest.raises(ArchiveError, match="no tables"):
        nothing.backup(tmp_path / "a.tmi")
    assert list(tmp_path.iterdir()) == []


# The mark makes the database of the tests, whose tables all the others are copies of.
@pytest.mark.django_db
def test_no_key_is_in_the_archive(archive: Path) -> None:
    kept = json.loads((Path(os.environ["TMI_DATA_DIR"]) / "secrets.json").read_text())
    with zipfile.ZipFile(archive) as opened:
        everything = b"".join(opened.read(name) for name in opened.namelist())
    for value in (kept["server.secret_key"], kept["auth.jwt.secret"], *kept["auth.encryption_keys"]):
        assert value.encode() not in everything


@pytest.mark.fault
def test_ten_thousand_threat_models_come_back(here: Place, elsewhere: Place, tmp_path: Path) -> None:
    assert "demo" in here.command("load_demo")
    with closing(psycopg.connect(**here.where)) as opened:
        multiply(opened)
    began = time.perf_counter()
    archive = here.backup(tmp_path / "t.tmi")
    saved = time.perf_counter()
    elsewhere.restore(archive)
    seconds = f"backup {saved - began:.1f} s, restore {time.perf_counter() - saved:.1f} s"
    print(f"\n{archive.stat().st_size / 1e6:.0f} MB: {seconds}")
    assert len(here.asked("SELECT 1 FROM threat_models")) > COPIES
    assert elsewhere.rows() == here.rows()


def multiply(opened: psycopg.Connection[Any]) -> None:
    """The demo's threat model with all that is in it, ten thousand times."""
    parts = ("threat_models", "diagrams", "assets", "threats", "documents", "notes", "repositories")
    with opened.cursor() as cursor:
        cursor.execute(
            "SELECT threat_model_id FROM threats GROUP BY 1 ORDER BY count(*) DESC LIMIT 1",
        )
        [model] = cursor.fetchone() or [None]
        for table in parts:
            cursor.execute(
                "SELECT array_agg(attname ORDER BY attnum) FROM pg_attribute "
                "WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
                [table],
            )
            [names] = cursor.fetchone() or [[]]
            own = {"id", "threat_model_id", "diagram_id", "asset_id"}
            taken = [OTHER_ID.format(id=f"t.{name}") if name in own else f"t.{name}" for name in names]
            cursor.execute(
                f"INSERT INTO {table} ({', '.join(names)}) SELECT {', '.join(taken)} "
                f"FROM {table} t, generate_series(1, {COPIES}) n "
                f"WHERE t.{'id' if table == 'threat_models' else 'threat_model_id'} = %s",
                [model],
            )
    opened.commit()

# SPDX-License-Identifier: ISC
"""An installation whose store is a PostgreSQL of its own, and what is asked of that server besides: how
much it writes for one refresh, one statement and one commit at a time, a vacuum, millions of rows. Knows
the store's tables; does not know what is to be compared."""

import contextlib
import threading

import measure
from lab import machine, postgresql

DATABASE = SCHEMA = "retoken"
REAL = 100_000  # sessions that have tokens; those beside them only take room
# One row like a session's, found by its key and written alone.
SINGLE = """
\\set n random(1, {rows})
UPDATE single SET record = overlay(record placing int8send(:n::bigint) from 5), expires = now()
    WHERE id = lpad(to_hex(:n::bigint), 32, '0')::uuid;
"""


class _Served(measure.Served):
    """A responder and the server behind it."""

    def __init__(self, run, installed, server):
        self.server = server
        super().__init__(run, installed)

    def behind_pids(self):
        pid = self.server.process.pid
        return [pid, *machine.children(pid)]


class Database:
    """A server with one database, and a responder behind nginx that has its store there."""

    def __init__(self, run, tools, settings, **server_settings):
        self.run, self.tools = run, tools
        self.folder = machine.own(measure.tempfile.mkdtemp(prefix="database-", dir=run))
        self.server = measure.postgresql_server(self.folder, shared_preload_libraries="pg_stat_statements",
                                                **{"pg_stat_statements.track": "none"}, **server_settings)
        self.served = None
        try:
            postgresql.create(self.server, DATABASE)
            self.query("CREATE EXTENSION pg_stat_statements SCHEMA public")
            url = postgresql.url([self.server], DATABASE, DATABASE)
            self.loaded = measure.Loaded(run, tools, f"{settings}\nstore = {url}")
        except BaseException:
            self.stop()
            raise

    def query(self, sql, database=DATABASE, timeout=3600):
        return self.server.query(sql, database, timeout)

    def value(self, sql):
        return float(self.query(sql)[0][0])

    def serve(self):
        self.served = _Served(self.run, self.loaded.installed, self.server)

    def stop(self):
        if self.served is not None:
            self.served.stop()
        self.server.stop()

    # ---- sessions ----

    def fill(self, count, progress):
        """The file of tokens of `count` sessions, or, when they are more than REAL, of REAL of them: the
        rows of the others are as large and lie between them, and no one has a token for them."""
        tokens = self.loaded.fill(min(count, REAL), "database", progress)
        if count > REAL:
            progress.show(f"filling in {count - REAL:,} rows")
            self._fill_between(count - REAL)
        self.query("VACUUM (ANALYZE)")
        return tokens

    def _fill_between(self, count):
        """Their ids are of the time in which the real ones were made, and the rows are stored in no
        order, so that both the table and its index have them everywhere."""
        columns = [name for name, in self.query(
            "SELECT attname FROM pg_attribute WHERE attnum > 0 AND attrelid ="
            f" '{SCHEMA}.sessions'::regclass ORDER BY attnum")]
        others = ", ".join({"id": "overlay(uuid_send(id) placing substr(sha256(int8send(n)), 1, 9) from 6)",
                            "record": "overlay(record placing sha256(int8send(n)) from 17)"}.get(name, name)
                           for name in columns)
        others = others.replace("overlay(uuid_send(id)", "encode(overlay(uuid_send(id)", 1).replace(
            " from 6)", " from 6), 'hex')::uuid", 1)
        self.query(f"""
            SET search_path = {SCHEMA}; SET maintenance_work_mem = '512MB'; SET work_mem = '512MB';
            CREATE TEMP TABLE kept AS SELECT *, row_number() OVER () AS place FROM sessions;
            TRUNCATE sessions;
            ALTER TABLE sessions DROP CONSTRAINT sessions_pkey;
            INSERT INTO sessions SELECT {', '.join(columns)} FROM (
                SELECT {', '.join(columns)}, random() AS place FROM kept
                UNION ALL
                SELECT {others}, random() FROM generate_series(1, {count}) n JOIN kept ON kept.place = 1 + n % {REAL}
                ) rows ORDER BY rows.place;
            ALTER TABLE sessions ADD PRIMARY KEY (id);""")

    # ---- what else is asked of the server ----

    def single(self, connections, seconds, rows=100_000):
        """Rows a second that are updated with one statement and one commit each. Making many connections
        takes a while, which does not count."""
        if not self.query("SELECT 1 FROM pg_tables WHERE tablename = 'single'"):
            self.query(f"""
                CREATE TABLE public.single (LIKE {SCHEMA}.sessions INCLUDING ALL) WITH (fillfactor = 80);
                INSERT INTO single SELECT * FROM {SCHEMA}.sessions LIMIT 0;
                INSERT INTO single (id, record) SELECT lpad(to_hex(n), 32, '0')::uuid, record
                    FROM generate_series(1, {rows}) n, (SELECT record FROM {SCHEMA}.sessions LIMIT 1) one;""")
        said = self.pgbench(SINGLE.format(rows=rows), "-M", "prepared", "-c", connections,
                            "-T", max(2, round(seconds)) + connections // 8)
        return float(next(line.split()[2] for line in said.splitlines() if line.startswith("tps")))

    def pgbench(self, sql, *options):
        """What it says of a script."""
        script = self.folder / "script.sql"
        script.write_text(sql)
        machine.own(script)
        done = machine.run([postgresql.program("pgbench"), "-n", *options, "-f", script, "-h", self.server.socket,
                            "-U", postgresql.OWNER, DATABASE], timeout=3600)
        if done.returncode != 0 or b"\ntps" not in done.stdout:
            raise machine.LabError(f"pgbench: {done.stderr.decode()[-300:] or 'nothing done'}")
        return done.stdout.decode()

    @contextlib.contextmanager
    def vacuums(self, rests=False):
        """One vacuum of all sessions after the other, each of every page, at full speed or at autovacuum's."""
        ending, failed = threading.Event(), []
        setting = f"{'autovacuum_' if rests else ''}vacuum_cost_delay"
        pace = f"SELECT set_config('vacuum_cost_delay', current_setting('{setting}'), false)"

        def work():
            try:
                while not ending.is_set():
                    self.query(f"{pace}; VACUUM (DISABLE_PAGE_SKIPPING) {SCHEMA}.sessions")
            except machine.LabError as error:
                failed.append(error)

        thread = threading.Thread(target=work)
        thread.start()
        try:
            yield
        finally:
            ending.set()
            thread.join()
        if failed:
            raise failed[0]

    def count(self, load):
        """What load() makes the server do, which returns its figures and has no warmup, for each refresh:
        {'wal': bytes, 'statements': n, 'transactions': n, 'hot': share of updates that were heap-only}."""
        self.server.set(**{"pg_stat_statements.track": "top"})
        before = self._counters()
        figures = load()
        after = self._counters()
        self.server.set(**{"pg_stat_statements.track": "none"})
        wal, statements, transactions, updates, hot = (late - soon for soon, late in zip(before, after))
        done = figures["done"]
        return {"wal": wal / done, "statements": statements / done, "transactions": transactions / done,
                "hot": hot / updates}

    def _counters(self):
        return [float(value) for value in self.query(
            f"SELECT pg_current_wal_insert_lsn() - '0/0', (SELECT coalesce(sum(calls), 0) FROM public.pg_stat_statements),"
            f" (SELECT xact_commit FROM pg_stat_database WHERE datname = '{DATABASE}'), n_tup_upd, n_tup_hot_upd"
            f" FROM pg_stat_user_tables WHERE relname = 'sessions' AND schemaname = '{SCHEMA}'")[0]]

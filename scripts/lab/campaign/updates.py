# SPDX-License-Identifier: ISC
"""What many refreshes leave in PostgreSQL: updates must be heap-only (no index is written, and the space of
a row's old version is used again without a vacuum), and tables must not grow with what is only rewritten.
Figures are of the server's own statistics, and of its write-ahead log."""

import shutil
import time

from lab import machine, postgresql, servers

from . import Violation, load, memory_folder, soak

ROLE = "retoken"  # and its database
REFRESHES, SESSIONS = 100_000, 5_000
HEAP_ONLY_LEAST = 0.95
GROWN_MOST = 1.5
TABLES = ("SELECT relname, n_tup_upd, n_tup_hot_upd, pg_relation_size(relid) FROM pg_stat_user_tables"
          " ORDER BY relname")


def run(budget_s, seed, refreshes=REFRESHES):
    """Until there are so many, or the time is over."""
    del seed  # nothing here is random
    folder = memory_folder("retoken-u-")
    folder.chmod(0o711)
    home = folder / "home"
    home.mkdir()
    machine.own(home)
    database = postgresql.Server(folder).make().start()
    server = None
    try:
        postgresql.create(database, ROLE)
        installed = load.furnish(home, 1, sessions_per_account="0", store=postgresql.url([database], ROLE, ROLE))
        soak.populate(installed, soak.MOUNT, SESSIONS)
        database.query("VACUUM ANALYZE; CHECKPOINT", ROLE)
        server = servers.start("socket", installed, home)
        figures = {"refreshes": 0, "errors": 0, "p99_ms": []}
        before, log = tables(database), written(database)
        end = time.monotonic() + budget_s
        while figures["refreshes"] < int(refreshes) and time.monotonic() < end:
            soak.pressed(installed, server, 5, figures)
        figures["wal_bytes_per_refresh"] = round((written(database) - log) / figures["refreshes"])
        after = tables(database)
    finally:
        if server is not None:
            server.stop()
        database.stop()
    updated, heap_only, size = (now - then for now, then in zip(after["sessions"], (*before["sessions"][:2], 0)))
    figures |= {"updates": updated, "heap_only": round(heap_only / updated, 4), "bytes": size,
                "bytes_before": before["sessions"][2]}
    found = [f"{figures['errors']} errors"] if figures["errors"] else []
    found += [f"{heap_only} of {updated} updates are heap-only"] if heap_only < HEAP_ONLY_LEAST * updated else []
    found += ["the table of sessions has grown"] if size > GROWN_MOST * before["sessions"][2] else []
    if found:
        raise Violation(found, figures, [folder])
    shutil.rmtree(folder)
    return figures


def tables(database):
    """name -> (updates, heap-only updates, bytes), once what the sessions counted has been told."""
    return {name: tuple(map(int, counts)) for name, *counts in database.query(TABLES, ROLE)}


def written(database):
    """Bytes of the write-ahead log."""
    return int(database.value("SELECT pg_current_wal_lsn() - '0/0'").partition(".")[0])

## src/store
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/store.c src/store/store.h \
	src/store/store_private.h \
	src/store/store_url.c \
	src/store/prepared.c \
	src/store/group_commit.c src/store/group_commit.h \
	src/store/records/txn.c src/store/records/txn.h \
	src/store/records/ended.c src/store/records/ended.h \
	src/store/records/rows.c src/store/records/rows.h \
	src/store/records/rows_key.c src/store/records/rows_key.h \
	src/store/records/record.c src/store/records/record.h \
	src/store/records/record_session.c src/store/records/record_pieces.h \
	src/store/verbs/verbs.c src/store/verbs/verbs.h \
	src/store/verbs/format.c \
	src/store/verbs/sessions.c \
	src/store/verbs/ends.c src/store/verbs/ends.h \
	src/store/verbs/accounts.c \
	src/store/verbs/clients.c \
	src/store/verbs/keys.c \
	src/store/verbs/events.c src/store/verbs/events.h \
	src/store/verbs/outbox.c src/store/verbs/outbox.h \
	src/store/verbs/marks.c src/store/verbs/marks.h \
	src/store/verbs/sweep.c src/store/verbs/sweep.h \
	src/store/verbs/epochs.c src/store/verbs/epochs.h \
	src/store/verbs/sweep_time.c src/store/verbs/sweep_time.h \
	src/store/verbs/sweeper.c src/store/verbs/sweeper.h \
	src/store/verbs/check.c \
	src/store/verbs/copy.c \
	src/store/lmdb/lmdb_store.c src/store/lmdb/lmdb_store.h \
	src/store/lmdb/batch.c src/store/lmdb/batch.h \
	src/store/lmdb/shared_queue.c src/store/lmdb/shared_queue.h \
	src/store/lmdb/shared_queue_file.c src/store/lmdb/shared_queue_file.h \
	src/store/lmdb/journal.c src/store/lmdb/journal.h \
	src/store/lmdb/ended_log.c src/store/lmdb/ended_log.h \
	src/store/lmdb/facts.c \
	src/store/verbs/unstamped.c src/store/verbs/unstamped.h \
	src/store/lmdb/env.c src/store/lmdb/env.h src/store/lmdb/env_private.h \
	src/store/lmdb/env_tables.c \
	src/store/lmdb/env_map.c \
	src/store/lmdb/env_open.c \
	src/store/lmdb/env_directory.c src/store/lmdb/env_directory.h \
	src/store/lmdb/env_ready.c \
	src/store/lmdb/env_repair.c \
	src/store/lmdb/env_copy.c \
	src/store/lmdb/restore.c src/store/lmdb/restore.h \
	src/store/lmdb/process_lock.c src/store/lmdb/process_lock.h \
	src/store/postgresql/connection.c src/store/postgresql/connection.h \
	src/store/postgresql/postgresql_server.c \
	src/store/postgresql/schema.c src/store/postgresql/schema.h \
	src/store/postgresql/postgresql_store.c src/store/postgresql/postgresql_store.h \
	src/store/postgresql/postgresql_facts.c src/store/postgresql/postgresql_facts.h \
	src/store/postgresql/commit.c src/store/postgresql/commit.h \
	src/store/postgresql/reads.c src/store/postgresql/reads.h \
	src/store/postgresql/writers.c src/store/postgresql/writers.h \
	src/store/postgresql/tables.c src/store/postgresql/tables.h \
	src/store/postgresql/columns.c src/store/postgresql/columns.h \
	src/store/postgresql/parameters.c src/store/postgresql/parameters.h

## src/store
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/store.c src/store/store.h \
	src/store/store_private.h \
	src/store/prepared.c \
	src/store/lmdb/lmdb_store.c src/store/lmdb/lmdb_store.h \
	src/store/lmdb/sessions.c \
	src/store/lmdb/ends.c src/store/lmdb/ends.h \
	src/store/lmdb/ended.c src/store/lmdb/ended.h \
	src/store/lmdb/accounts.c \
	src/store/lmdb/clients.c \
	src/store/lmdb/keys.c \
	src/store/lmdb/events.c src/store/lmdb/events.h \
	src/store/lmdb/outbox.c src/store/lmdb/outbox.h \
	src/store/lmdb/marks.c src/store/lmdb/marks.h \
	src/store/lmdb/facts.c \
	src/store/lmdb/check.c \
	src/store/lmdb/sweep.c src/store/lmdb/sweep.h \
	src/store/lmdb/sweep_time.c src/store/lmdb/sweep_time.h \
	src/store/lmdb/unstamped.c src/store/lmdb/unstamped.h \
	src/store/lmdb/batch.c src/store/lmdb/batch.h \
	src/store/lmdb/group_commit.c src/store/lmdb/group_commit.h \
	src/store/lmdb/rows.c src/store/lmdb/rows.h \
	src/store/lmdb/rows_key.c src/store/lmdb/rows_key.h \
	src/store/lmdb/record.c src/store/lmdb/record.h \
	src/store/lmdb/record_session.c src/store/lmdb/record_pieces.h \
	src/store/lmdb/env.c src/store/lmdb/env.h src/store/lmdb/env_private.h \
	src/store/lmdb/env_tables.c \
	src/store/lmdb/env_open.c \
	src/store/lmdb/env_directory.c src/store/lmdb/env_directory.h \
	src/store/lmdb/env_ready.c \
	src/store/lmdb/env_repair.c \
	src/store/lmdb/env_copy.c \
	src/store/lmdb/restore.c src/store/lmdb/restore.h \
	src/store/lmdb/process_lock.c src/store/lmdb/process_lock.h \
	src/store/postgresql/connection.h \
	src/store/postgresql/parameters.c src/store/postgresql/parameters.h

## src/store
noinst_LIBRARIES += libstore.a
libstore_a_SOURCES = \
	src/store/store.h \
	src/store/process_lock.c src/store/process_lock.h \
	src/store/store.c \
	src/store/store_private.c \
	src/store/store_private.h \
	src/store/prepared.c \
	src/store/prepared.h \
	src/store/sessions.c \
	src/store/accounts.c \
	src/store/clients.c \
	src/store/keys.c \
	src/store/events.c \
	src/store/events.h \
	src/store/prune.c \
	src/store/check.c \
	src/store/sweep.c \
	src/store/sweep.h \
	src/store/group_commit.c \
	src/store/group_commit.h \
	src/store/rows.c \
	src/store/rows.h \
	src/store/record.c \
	src/store/record.h \
	src/store/engine.c \
	src/store/engine.h \
	src/store/engine_lmdb.c \
	src/store/engine_memory.c

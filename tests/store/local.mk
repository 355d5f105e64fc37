## tests/store: the contract suite runs against every kind of store; group commit; LMDB alone.
check_LIBRARIES += libtest_store.a
libtest_store_a_SOURCES = tests/store/fixture.c tests/store/fixture.h \
	tests/store/proxy.c tests/store/proxy.h \
	tests/store/server.c tests/store/server.h
libtest_store_a_CPPFLAGS = $(TEST_CPPFLAGS)

check_PROGRAMS += tests/store/test_record
tests_store_test_record_SOURCES = tests/store/test_record.c
tests_store_test_record_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_record_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_shared_queue
tests_store_test_shared_queue_SOURCES = tests/store/test_shared_queue.c
tests_store_test_shared_queue_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_shared_queue_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_sweep_time
tests_store_test_sweep_time_SOURCES = tests/store/test_sweep_time.c
tests_store_test_sweep_time_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_sweep_time_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_ended_log
tests_store_test_ended_log_SOURCES = tests/store/test_ended_log.c
tests_store_test_ended_log_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_ended_log_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_accounts
tests_store_test_contract_accounts_SOURCES = tests/store/test_contract_accounts.c
tests_store_test_contract_accounts_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_accounts_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_clients
tests_store_test_contract_clients_SOURCES = tests/store/test_contract_clients.c
tests_store_test_contract_clients_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_clients_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_clock
tests_store_test_contract_clock_SOURCES = tests/store/test_contract_clock.c
tests_store_test_contract_clock_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_clock_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_damage
tests_store_test_contract_damage_SOURCES = tests/store/test_contract_damage.c
tests_store_test_contract_damage_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_damage_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_deliveries
tests_store_test_contract_deliveries_SOURCES = tests/store/test_contract_deliveries.c
tests_store_test_contract_deliveries_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_deliveries_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_ends
tests_store_test_contract_ends_SOURCES = tests/store/test_contract_ends.c
tests_store_test_contract_ends_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_ends_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_events
tests_store_test_contract_events_SOURCES = tests/store/test_contract_events.c
tests_store_test_contract_events_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_events_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_keys
tests_store_test_contract_keys_SOURCES = tests/store/test_contract_keys.c
tests_store_test_contract_keys_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_keys_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_marks
tests_store_test_contract_marks_SOURCES = tests/store/test_contract_marks.c
tests_store_test_contract_marks_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_marks_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_pending
tests_store_test_contract_pending_SOURCES = tests/store/test_contract_pending.c
tests_store_test_contract_pending_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_pending_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_rotation
tests_store_test_contract_rotation_SOURCES = tests/store/test_contract_rotation.c
tests_store_test_contract_rotation_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_rotation_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_sessions
tests_store_test_contract_sessions_SOURCES = tests/store/test_contract_sessions.c
tests_store_test_contract_sessions_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_sessions_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_store
tests_store_test_contract_store_SOURCES = tests/store/test_contract_store.c
tests_store_test_contract_store_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_store_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract_sweep
tests_store_test_contract_sweep_SOURCES = tests/store/test_contract_sweep.c
tests_store_test_contract_sweep_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_sweep_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_group_commit
tests_store_test_group_commit_SOURCES = tests/store/test_group_commit.c
tests_store_test_group_commit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_group_commit_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_lmdb
tests_store_test_lmdb_SOURCES = tests/store/test_lmdb.c
tests_store_test_lmdb_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_lmdb_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_process_lock
tests_store_test_process_lock_SOURCES = tests/store/test_process_lock.c
tests_store_test_process_lock_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_process_lock_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_sweep
tests_store_test_sweep_SOURCES = tests/store/test_sweep.c
tests_store_test_sweep_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_sweep_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_env
tests_store_test_env_SOURCES = tests/store/test_env.c
tests_store_test_env_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_env_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_connection
tests_store_test_connection_SOURCES = tests/store/test_connection.c
tests_store_test_connection_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_connection_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_schema
tests_store_test_schema_SOURCES = tests/store/test_schema.c
tests_store_test_schema_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_schema_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_postgresql
tests_store_test_postgresql_SOURCES = tests/store/test_postgresql.c
tests_store_test_postgresql_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_postgresql_LDADD = $(STORE_LIBS)

# What server.c keeps for the next program.
clean-local:
	rm -rf tests/store/postgresql-* tests/store/server.lock

check_PROGRAMS += tests/store/test_copy
tests_store_test_copy_SOURCES = tests/store/test_copy.c
tests_store_test_copy_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_copy_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_late_commit
tests_store_test_late_commit_SOURCES = tests/store/test_late_commit.c
tests_store_test_late_commit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_late_commit_LDADD = $(STORE_LIBS)

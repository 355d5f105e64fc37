## tests/store: the contract suite runs against every kind of store; group commit; LMDB alone.
STORE_FIXTURE = tests/store/fixture.c tests/store/fixture.h

check_PROGRAMS += tests/store/test_record
tests_store_test_record_SOURCES = tests/store/test_record.c
tests_store_test_record_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_record_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_sweep_time
tests_store_test_sweep_time_SOURCES = tests/store/test_sweep_time.c
tests_store_test_sweep_time_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_sweep_time_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_ended
tests_store_test_ended_SOURCES = tests/store/test_ended.c
tests_store_test_ended_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_ended_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_contract
tests_store_test_contract_SOURCES = tests/store/test_contract.c $(STORE_FIXTURE)
tests_store_test_contract_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_contract_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_group_commit
tests_store_test_group_commit_SOURCES = tests/store/test_group_commit.c $(STORE_FIXTURE)
tests_store_test_group_commit_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_group_commit_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_lmdb
tests_store_test_lmdb_SOURCES = tests/store/test_lmdb.c $(STORE_FIXTURE)
tests_store_test_lmdb_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_lmdb_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_process_lock
tests_store_test_process_lock_SOURCES = tests/store/test_process_lock.c
tests_store_test_process_lock_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_process_lock_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_sweep
tests_store_test_sweep_SOURCES = tests/store/test_sweep.c $(STORE_FIXTURE)
tests_store_test_sweep_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_sweep_LDADD = $(STORE_LIBS)

check_PROGRAMS += tests/store/test_env
tests_store_test_env_SOURCES = tests/store/test_env.c $(STORE_FIXTURE)
tests_store_test_env_CPPFLAGS = $(TEST_CPPFLAGS)
tests_store_test_env_LDADD = $(STORE_LIBS)

## tests/process
check_PROGRAMS += \
	tests/process/test_config \
	tests/process/test_confine \
	tests/process/test_dialect_file \
	tests/process/test_path \
	tests/process/test_service \
	tests/process/test_supervisor
tests_process_test_config_SOURCES = tests/process/test_config.c
tests_process_test_config_CPPFLAGS = $(TEST_CPPFLAGS)
tests_process_test_config_LDADD = $(PROCESS_LIBS)
tests_process_test_confine_SOURCES = tests/process/test_confine.c
tests_process_test_confine_CPPFLAGS = $(TEST_CPPFLAGS)
tests_process_test_confine_LDADD = $(PROCESS_LIBS)
tests_process_test_dialect_file_SOURCES = tests/process/test_dialect_file.c tests/dialect/known_issuer.h
tests_process_test_dialect_file_CPPFLAGS = $(TEST_CPPFLAGS)
tests_process_test_dialect_file_LDADD = $(PROCESS_LIBS)
tests_process_test_path_SOURCES = tests/process/test_path.c
tests_process_test_path_CPPFLAGS = $(TEST_CPPFLAGS)
tests_process_test_path_LDADD = $(PROCESS_LIBS)
tests_process_test_service_SOURCES = tests/process/test_service.c
tests_process_test_service_CPPFLAGS = $(TEST_CPPFLAGS)
tests_process_test_service_LDADD = $(PROCESS_LIBS)
tests_process_test_supervisor_SOURCES = tests/process/test_supervisor.c
tests_process_test_supervisor_CPPFLAGS = $(TEST_CPPFLAGS)
tests_process_test_supervisor_LDADD = $(PROCESS_LIBS)

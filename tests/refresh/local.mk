## tests/refresh
check_PROGRAMS += tests/refresh/test_table tests/refresh/test_refresh tests/refresh/test_password
tests_refresh_test_table_SOURCES = tests/refresh/test_table.c
tests_refresh_test_table_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_table_LDADD = $(REFRESH_LIBS)
tests_refresh_test_refresh_SOURCES = \
	tests/refresh/test_refresh.c \
	tests/refresh/world.c \
	tests/refresh/world.h
tests_refresh_test_refresh_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_refresh_LDADD = $(REFRESH_LIBS)
tests_refresh_test_password_SOURCES = tests/refresh/test_password.c
tests_refresh_test_password_CPPFLAGS = $(TEST_CPPFLAGS)
tests_refresh_test_password_LDADD = $(REFRESH_LIBS)

## tests/server
check_PROGRAMS += \
	tests/server/test_cgi \
	tests/server/test_connections \
	tests/server/test_fastcgi \
	tests/server/test_fcgi_scan \
	tests/server/test_listener \
	tests/server/test_message \
	tests/server/test_workers
tests_server_test_cgi_SOURCES = tests/server/test_cgi.c
tests_server_test_cgi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_server_test_cgi_LDADD = $(SERVER_LIBS)
tests_server_test_connections_SOURCES = tests/server/test_connections.c
tests_server_test_connections_CPPFLAGS = $(TEST_CPPFLAGS)
tests_server_test_connections_LDADD = $(SERVER_LIBS)
tests_server_test_fastcgi_SOURCES = tests/server/test_fastcgi.c tests/base/sanitized.h tests/base/valgrind.h
tests_server_test_fastcgi_CPPFLAGS = $(TEST_CPPFLAGS)
tests_server_test_fastcgi_LDADD = $(SERVER_LIBS) $(FCGI_LIBS)
tests_server_test_fcgi_scan_SOURCES = tests/server/test_fcgi_scan.c
tests_server_test_fcgi_scan_CPPFLAGS = $(TEST_CPPFLAGS)
tests_server_test_fcgi_scan_LDADD = $(SERVER_LIBS) $(FCGI_LIBS)
tests_server_test_listener_SOURCES = tests/server/test_listener.c
tests_server_test_listener_CPPFLAGS = $(TEST_CPPFLAGS)
tests_server_test_listener_LDADD = $(SERVER_LIBS)
tests_server_test_message_SOURCES = tests/server/test_message.c
tests_server_test_message_CPPFLAGS = $(TEST_CPPFLAGS)
tests_server_test_message_LDADD = $(SERVER_LIBS)
tests_server_test_workers_SOURCES = tests/server/test_workers.c tests/base/valgrind.h
tests_server_test_workers_CPPFLAGS = $(TEST_CPPFLAGS)
tests_server_test_workers_LDADD = $(SERVER_LIBS) $(FCGI_LIBS)
